wavecast hwdb list --kind gpu
