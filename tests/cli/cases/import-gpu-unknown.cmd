cp 'tuned/E=8,N=14336,device_name=NVIDIA_H200.json' $work/'E=8,N=14336,device_name=NVIDIA_H1000.json'; wavecast import vllm $work/*.json --model mixtral-8x7b
