wavecast compare --gpus mi300x --model olmoe-1b-7b --tokens 64
