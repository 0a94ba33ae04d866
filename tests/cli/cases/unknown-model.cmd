wavecast models olmoe-1b-7
