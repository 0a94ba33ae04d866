wavecast calibrate ../../validate/recorded/h100-alpha-moe-olmoe --field memory.bandwith_gb_s
