wavecast models --json=yes
