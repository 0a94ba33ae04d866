wavecast regions --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 | sed -n '/^optimization/,$s/^\([a-z][a-z0-9_]*\) .*/\1/p'
