wavecast evaluate --timings timings.csv --train 3
