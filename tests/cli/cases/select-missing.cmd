wavecast select --fit no-such.yaml --counts 1,2
