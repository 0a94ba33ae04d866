wavecast import vllm 'tuned/E=8,N=14336,device_name=NVIDIA_H200.json' --model mixtral-8x7b --gpu a100-sxm-80gb --csv | sed -E 's/\.([0-9]{6})[0-9]*/.\1/g'
