wavecast models --hwdb $work/none
