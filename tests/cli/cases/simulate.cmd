wavecast simulate --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --config bm=16,bn=32,wn=8,stages=3
