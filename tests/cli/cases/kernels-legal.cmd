wavecast kernels alpha-moe --gpu h100-sxm --model olmoe-1b-7b | tail -2
