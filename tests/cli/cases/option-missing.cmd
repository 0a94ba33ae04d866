wavecast predict --model olmoe-1b-7b --tokens 1
