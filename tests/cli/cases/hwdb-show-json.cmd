wavecast hwdb show round-gpu-fast --hwdb hwdb --json | grep -A 47 clock.boost_mhz | sed -n 1,48p
