wavecast compare --gpu h20 --model olmoe-1b-7b --tokens 64
