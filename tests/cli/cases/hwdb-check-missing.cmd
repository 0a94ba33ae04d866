wavecast hwdb check none.yaml
