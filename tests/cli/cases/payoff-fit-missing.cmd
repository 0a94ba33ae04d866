wavecast payoff --fit missing.yaml --histograms b
