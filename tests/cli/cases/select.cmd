wavecast fit ../../validate/recorded/h100-alpha-moe-olmoe --train 8 -o "$work/model.yaml" >/dev/null &&
    cd "$work" &&
    wavecast select --fit model.yaml --tokens 64 --routing zipf:1.2 &&
    wavecast select --fit model.yaml --counts "$(seq -s, 0 63)" &&
    wavecast select --fit model.yaml --histograms "$OLDPWD/histograms.csv" 2>/dev/null
