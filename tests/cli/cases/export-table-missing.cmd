wavecast export c-table none.yaml -o $work/x.h
