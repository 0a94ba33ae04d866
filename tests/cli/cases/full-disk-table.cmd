wavecast models >/dev/full
