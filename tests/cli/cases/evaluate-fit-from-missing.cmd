wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --fit-from nowhere
