wavecast compare --gpus h100-sxm,h200-sxm,mi300x --model olmoe-1b-7b --kernel alpha-moe --tokens 64 | sed '1,/entropy/d'
