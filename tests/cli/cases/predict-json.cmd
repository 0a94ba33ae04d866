wavecast predict --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --top 1 --json | sed "s/=[0-9]*/=N/g; s/: [0-9][0-9.e+-]*/: N/; s/limiting\": .*/limiting\": LIMIT/"
