wavecast complete-spec "hwdb list"
