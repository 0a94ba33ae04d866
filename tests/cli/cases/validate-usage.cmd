wavecast validate
