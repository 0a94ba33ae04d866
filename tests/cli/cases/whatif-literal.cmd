wavecast whatif --hwdb hwdb --gpu round-gpu-fast --model round-model --tokens 8 --set sm_count=20 --literal --json | sed -n '/"changes"/,/]/p'
