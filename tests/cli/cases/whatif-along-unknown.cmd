wavecast whatif --gpu h100-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --along memory.latency_ns
