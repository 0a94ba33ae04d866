wavecast evaluate --timings timings.csv --gpu-alias x=a100-sxm-80gb --gpu-alias y=h100-sxm
