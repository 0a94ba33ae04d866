wavecast simulate --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --schedule streamk
