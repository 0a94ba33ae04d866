wavecast kernels --gpu h100-sxm
