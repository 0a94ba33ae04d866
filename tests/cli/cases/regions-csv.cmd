wavecast regions --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --csv | sed -n 1p
