wavecast models olmoe-1b-7b:tp3
