wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --predictor ramp4
