wavecast occupancy --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --csv | sed -n "/false/p" | sed -n 1,2p
