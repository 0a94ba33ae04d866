wavecast payoff --fit a --histograms b --kernel vllm-triton
