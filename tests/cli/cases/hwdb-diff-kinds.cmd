wavecast hwdb diff round-gpu round-model --hwdb hwdb
