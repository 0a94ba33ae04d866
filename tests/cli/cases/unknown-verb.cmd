wavecast predit
