wavecast regions --all-gpus --model olmoe-1b-7b --kernel alpha-moe --tokens 64 | sed -n '1,2p;$p' | tr -s ' '
