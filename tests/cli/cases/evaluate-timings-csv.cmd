wavecast evaluate --timings timings.csv --launch up --gpu-alias x=a100-sxm-80gb --gpu-alias y=h100-sxm --csv | cut -d, -f1-4
