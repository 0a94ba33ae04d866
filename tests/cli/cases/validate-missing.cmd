wavecast validate --replay nowhere
