wavecast export vllm --gpu h100-sxm --model mixtral-8x7b --dtype bf16 --max-tokens 64 -o $work/out | sed '1,/^$/!d'; cat $work/out/*.json | head -9
