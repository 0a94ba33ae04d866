wavecast help hwdb check
