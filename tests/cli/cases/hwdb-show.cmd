wavecast hwdb show round-gpu --hwdb hwdb | sed -n '1,19p;/^references/,+2p'
