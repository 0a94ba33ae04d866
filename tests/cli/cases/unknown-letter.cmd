wavecast models -x
