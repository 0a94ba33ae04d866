wavecast --vesion
