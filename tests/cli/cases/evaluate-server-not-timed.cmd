wavecast evaluate ../../validate/recorded/h100-triton-moe-mixtral-8x7b-tp4-10s --server sglang
