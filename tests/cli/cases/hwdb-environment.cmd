WAVECAST_HWDB=:hwdb: wavecast hwdb show round-gpu-fast | grep memory.bandwidth
