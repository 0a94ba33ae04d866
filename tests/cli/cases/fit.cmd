wavecast fit ../../validate/recorded/h100-alpha-moe-olmoe --form ramp4 --train 15 -o "$work/model.yaml" &&
    head -n 9 "$work/model.yaml" && ls "$work"
