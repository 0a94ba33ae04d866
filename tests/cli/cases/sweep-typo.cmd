wavecast sweep ../bad_sweeps/field-typo.yaml -o $work/results.db; code=$?; ls $work; exit $code
