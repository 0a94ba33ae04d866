wavecast models a b
