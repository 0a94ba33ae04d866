wavecast predict --gpu h100-sxm --model olmoe-1b-7b --tokens 1 --routing zip:1
