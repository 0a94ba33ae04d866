wavecast hwdb list --kind models --hwdb hwdb | grep -e round -e top
