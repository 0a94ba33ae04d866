wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --predictor analytic --train 15 --folds 4 --csv | cut -d, -f1,2
