wavecast hwdb show deepsek-v3
