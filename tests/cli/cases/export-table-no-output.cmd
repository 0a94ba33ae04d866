wavecast export json none.yaml
