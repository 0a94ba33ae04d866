wavecast explain --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --config bm=128,bn=64,wn=4,stages=5
