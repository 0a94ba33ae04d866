wavecast payoff --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --histograms a --trace b
