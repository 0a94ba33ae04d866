wavecast hwdb --help
