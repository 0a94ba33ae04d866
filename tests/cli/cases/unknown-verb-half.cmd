wavecast hwdb
