wavecast hwdb list --kind gpus --hwdb hwdb | grep -e round -e 'BF16' -e TFLOP
