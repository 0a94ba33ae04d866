wavecast hwdb list --csv
