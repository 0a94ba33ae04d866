wavecast hwdb show round-model --hwdb hwdb
