wavecast whatif --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --set memory.bandwith_gb_s=8000
