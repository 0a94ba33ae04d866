wavecast evaluate ../../validate/recorded/h100-triton-moe-mixtral-8x7b-tp4 --server vllm --json | grep -c vllm_default_regret_mean_frac
