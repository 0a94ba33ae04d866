wavecast select --tokens 3
