wavecast fit ../../validate/recorded/h100-alpha-moe-olmoe --train 1 -o "$work/model.yaml" >"$work/log" &&
    wavecast payoff --fit "$work/model.yaml" --histograms ../../validate/recorded/h100-alpha-moe-olmoe/histograms.csv.gz
