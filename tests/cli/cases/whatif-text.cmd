wavecast whatif --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --set sm_count=144 --set memory.bandwidth_gb_s=8000 | sed '/^Verdicts/,$d'
