wavecast payoff --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --histograms ../../validate/recorded/h100-alpha-moe-olmoe/histograms.csv.gz --uncertainty -1
