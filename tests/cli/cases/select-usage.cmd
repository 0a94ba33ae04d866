wavecast select --fit x.yaml --counts 1,2 --tokens 4
