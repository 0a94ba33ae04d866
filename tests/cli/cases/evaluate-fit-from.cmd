wavecast evaluate ../../validate/recorded/h200-alpha-moe-olmoe --fit-from ../../validate/recorded/h100-alpha-moe-olmoe --csv | cut -d, -f1,2 | sed 1,2d
