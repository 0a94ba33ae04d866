wavecast calibrate ../../validate/recorded/h100-alpha-moe-olmoe --field memory.bandwidth_gb_s --field memory.copy_latency_ns
