wavecast evaluate ../../validate/recorded/h100-alpha-moe-olmoe --json | sed -n "2,16s/: 0\.[0-9]*/: N/p"
