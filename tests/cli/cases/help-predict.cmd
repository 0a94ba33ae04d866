wavecast predict --help
