wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --train 15 --predictor wav 2>&1 | cut -d\; -f1
