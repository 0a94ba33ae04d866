wavecast fit ../../validate/recorded/h100-alpha-moe-olmoe --form ramp4 --train 3 -o "$work/model.yaml"; code=$?
ls "$work"
exit $code
