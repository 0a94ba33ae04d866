wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --train 8 --folds 3 --design plan | sed "/^The predictor/,\$d"
