wavecast calibrate ../../validate/recorded/h100-alpha-moe-olmoe --points 20 --field features.tma
