wavecast fit sets --form wafe
