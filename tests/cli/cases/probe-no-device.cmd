CUDA_VISIBLE_DEVICES= wavecast probe 2>&1 | grep -o "^wavecast: no CUDA device: "
