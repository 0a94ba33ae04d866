wavecast predict --gpu
