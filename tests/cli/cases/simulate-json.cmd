wavecast simulate --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --config bm=16,bn=32,wn=8,stages=3 --json | python3 -c "
import json, sys
answer = json.load(sys.stdin)
print(list(answer))
print(abs(sum(f['time_us'] for f in answer['factors'][:-1]) - answer['result']['time_us']) < 1e-9)
print(len(answer['sms']), len(answer['periods']), list(answer['launches'][0]))
"
