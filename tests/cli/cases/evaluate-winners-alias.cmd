wavecast evaluate --winners winners.csv
