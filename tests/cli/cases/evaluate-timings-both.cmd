wavecast evaluate --timings timings.csv --winners winners.csv
