wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --noise-floor ../../validate/recorded/h100-alpha-moe-olmoe-repeat
