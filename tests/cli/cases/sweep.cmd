wavecast sweep ../sweeps/hopper.yaml -o $work/results.db --json | grep -v stamp && wavecast sweep ../sweeps/hopper.yaml -o $work/results.db
