wavecast compare --gpus h20,h20 --model olmoe-1b-7b --tokens 64
