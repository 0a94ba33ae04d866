wavecast explain --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --config bm=32,bn=64,wn=4,stages=3 | sed -n "1p;/^term/,\$s/^\( *[a-z_]*\).*/\1/p" | sed -n 1,4p
