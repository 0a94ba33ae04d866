wavecast hwdb list --kind gpus --hwdb hwdb --csv | grep -e round -e ^id
