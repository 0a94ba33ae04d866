wavecast --build-config | cut -d" " -f1
