wavecast occupancy --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --config stages=3,bm=32,bn=64,wn=4
