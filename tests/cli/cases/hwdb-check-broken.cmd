wavecast hwdb check broken --hwdb hwdb
