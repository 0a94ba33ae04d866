wavecast regions --gpu h100-sxm --all-gpus --model olmoe-1b-7b --tokens 1
