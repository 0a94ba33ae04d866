wavecast models round-model:tp2ep4 --hwdb hwdb
