wavecast hwdb check hwdb
