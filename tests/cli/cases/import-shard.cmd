wavecast import vllm 'tuned/E=8,N=14336,device_name=NVIDIA_H200.json' --model mixtral-8x7b:tp2
