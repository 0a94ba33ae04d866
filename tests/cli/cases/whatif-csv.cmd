wavecast whatif --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --set memory.bandwidth_gb_s=x2 --csv | sed -E 's/\.([0-9]{6})[0-9]*/.\1/g'
