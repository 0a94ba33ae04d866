wavecast evaluate ../../validate/recorded/h100-triton-moe-olmoe-1b-7b --tuned 'tuned/E=8,N=14336,device_name=NVIDIA_H200.json'
