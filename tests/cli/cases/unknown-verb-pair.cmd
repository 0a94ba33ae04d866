wavecast hwdb lst
