echo "a: b" >$work/x.yaml; wavecast hwdb check $work/x.yaml
