wavecast evaluate $work/none
