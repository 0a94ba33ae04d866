wavecast evaluate
