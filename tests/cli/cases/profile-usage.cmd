wavecast profile --model olmoe-1b-7b
