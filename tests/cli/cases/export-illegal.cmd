wavecast export vllm --gpu mi300x --model mixtral-8x7b -o $work
