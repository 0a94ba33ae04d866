wavecast sweep ../sweeps/list.yaml -o $work/results.db
