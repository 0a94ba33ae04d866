wavecast regions --all-gpus --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --csv | sed -n '1p;/^h20,/p;/^h20,/p' | cut -d, -f1-3 | sort -u
