wavecast predict --gpus h100-sxm
