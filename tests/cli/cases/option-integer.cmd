wavecast predict --tokens 12x
