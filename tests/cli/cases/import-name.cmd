wavecast import vllm tuned/none.json --model mixtral-8x7b
