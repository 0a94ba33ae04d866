wavecast export vllm --fit model.yaml --gpu h100-sxm -o "$work/tuned"
