wavecast export vllm --gpu h100-sxm --model mixtral-8x7b
