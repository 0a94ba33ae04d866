wavecast hwdb check broken/gpus/fine.yaml --hwdb hwdb
