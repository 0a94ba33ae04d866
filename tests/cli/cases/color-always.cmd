wavecast models round-model --hwdb hwdb --color=always | sed -n 1p | cat -v
