wavecast predict --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --histograms histograms.csv --row b --json | sed -n "/\"routing\": {/,/}/p"
