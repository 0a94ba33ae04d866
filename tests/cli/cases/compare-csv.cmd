wavecast compare --gpus h200-sxm,h100-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --csv | cut -d, -f1,2,7,8
