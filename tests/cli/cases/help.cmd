wavecast --help
