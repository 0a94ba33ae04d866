wavecast explain --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 1 --config bm=7
