wavecast predict --gpu h200-sxm --model qwen3-30b-a3b:ep4 --kernel alpha-moe --tokens 256 --json | sed -n "/\"routing\": {/,/}/p"
