wavecast evaluate --max-regret nan set
