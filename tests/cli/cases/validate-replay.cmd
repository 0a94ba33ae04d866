wavecast validate --replay ../../validate/recorded/h100-alpha-moe-olmoe --folds 2 | grep -v '^wave'
