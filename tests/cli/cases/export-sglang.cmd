wavecast export sglang --gpu h20 --model deepseek-v3:tp8 --max-tokens 4 --triton 3.4.0 -o $work/a/b --csv | head -2; cd $work && find . -type f
