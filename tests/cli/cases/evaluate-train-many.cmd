wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --train 61
