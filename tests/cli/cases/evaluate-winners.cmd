wavecast evaluate --winners winners.csv --gpu-alias A100=a100-sxm-80gb --launch up --csv | cut -d, -f1-4
