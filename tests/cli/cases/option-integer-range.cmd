wavecast predict --top 0
