wavecast models round-model:ep4 --hwdb hwdb --json
