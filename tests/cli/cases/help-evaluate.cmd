wavecast evaluate -h
