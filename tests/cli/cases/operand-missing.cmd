wavecast hwdb show
