wavecast --help >/dev/full
