wavecast regions --all-gpus --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --csv | sed -n '/^t4,/p' | sed -n 1p
