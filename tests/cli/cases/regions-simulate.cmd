wavecast regions --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 8 --predictor simulate --csv | cut -d, -f 1-3
