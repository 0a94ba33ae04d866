wavecast hwdb check broken/gpus/too-fast.yaml --hwdb hwdb --json
