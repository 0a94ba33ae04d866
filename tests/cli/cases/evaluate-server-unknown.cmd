wavecast evaluate ../../validate/recorded/h100-triton-moe-olmoe-1b-7b --server trt-llm
