wavecast evaluate --winners winners.csv --train 15
