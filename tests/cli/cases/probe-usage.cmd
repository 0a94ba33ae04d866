wavecast probe --device 2000
