wavecast evaluate --winners winners.csv set
