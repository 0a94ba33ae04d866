wavecast validate --live --replay x
