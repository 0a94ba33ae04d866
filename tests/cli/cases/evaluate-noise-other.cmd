wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --train 15 --noise-floor ../../validate/recorded/h200-alpha-moe-olmoe
