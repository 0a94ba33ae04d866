printf 'metric,least,most\nanalytic.regret_mean_frac,,0.001\nregions.right,80,\n' >"$work/budget.csv"
wavecast validate --replay ../../validate/recorded/h100-alpha-moe-olmoe --folds 1 --budget "$work/budget.csv" | sed -n '/^Budget/,$p'
