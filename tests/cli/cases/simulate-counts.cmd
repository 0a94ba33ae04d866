wavecast simulate --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --routing counts:1,2,3 --tokens 6
