echo '{"1": {' > $work/'E=8,N=14336,device_name=NVIDIA_H200.json'; wavecast import sglang $work/*.json --model mixtral-8x7b
