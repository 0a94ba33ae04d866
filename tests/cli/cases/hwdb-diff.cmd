wavecast hwdb diff round-gpu round-gpu-fast --hwdb hwdb
