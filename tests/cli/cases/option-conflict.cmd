wavecast models --json --csv
