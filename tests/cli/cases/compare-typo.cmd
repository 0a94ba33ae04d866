wavecast compare --gpus h100-sxm,h100-sx --model olmoe-1b-7b --tokens 64
