wavecast export vllm --gpu h100-sxm --model mixtral-8x7b --max-tokens 1 --routing zapf:1 -o $work
