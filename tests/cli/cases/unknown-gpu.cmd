wavecast predict --gpu h100-sxn --model olmoe-1b-7b --tokens 1
