wavecast models round-model --hwdb hwdb | sed -n 1p | cat -v
