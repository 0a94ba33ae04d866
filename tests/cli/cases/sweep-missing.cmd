wavecast sweep nowhere.yaml -o $work/results.db
