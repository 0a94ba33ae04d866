wavecast sweep ../sweeps/list.yaml
