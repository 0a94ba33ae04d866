#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A fitted model as a C header: it compiles alone, and chooses what `wavecast select` does, on
# routings of a recorded set; such tables as JSON are JSON.
set -eu
src=${WAVECAST_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
program=${WAVECAST_PROGRAM:-${WAVECAST_BUILDDIR:-$src}/wavecast}
set=$src/validate/recorded/h200-alpha-moe-olmoe
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" fit "$set" -o "$work/model.yaml" >/dev/null
"$program" export c-table "$work/model.yaml" --name olmoe --max-tokens 128 -o "$work/olmoe.h" >/dev/null
# Another form, whose tables are made faster: what is held against it below is true of all.
"$program" fit "$set" --form ramp4 --train 4 -o "$work/quick.yaml" >/dev/null
"$program" export json "$work/quick.yaml" --name olmoe --max-tokens 8 -o "$work/olmoe.json" >/dev/null

code=0
"$program" export c-table "$work/quick.yaml" --name 9x --max-tokens 1 -o "$work/x.h" 2>"$work/said" || code=$?
grep -q "'9x' is made of other than letters" "$work/said" && [ "$code" -eq 3 ] && [ ! -e "$work/x.h" ]

cat >"$work/choose.c" <<'C'
#include "olmoe.h"
#include <stdio.h>

int main(void)
{
    unsigned counts[olmoe_EXPERTS];
    while (scanf("%u", &counts[0]) == 1) {
        for (unsigned e = 1; e < olmoe_EXPERTS; e++)
            if (scanf("%u", &counts[e]) != 1)
                return 1;
        int i = olmoe_choose(counts);
        for (unsigned c = 0; c < olmoe_COLUMNS; c++)
            printf("%s%s=%d", c > 0 ? "," : "", olmoe_column[c], i < 0 ? -1 : olmoe_config[i][c]);
        putchar('\n');
    }
    return 0;
}
C
${WAVECAST_CC:-cc} -std=c99 -Wall -Wextra -Werror -O1 -o "$work/choose" "$work/choose.c" -lm

# Routings of up to 128 tokens, with what the library chooses for each.
python3 - "$program" "$set" "$work" <<'PYTHON'
import csv, gzip, io, json, os, subprocess, sys

program, folder, work = sys.argv[1:]
path = os.path.join(folder, "histograms.csv")
text = open(path).read() if os.path.exists(path) else gzip.open(path + ".gz", "rt").read()
rows = {r["histogram"]: r["counts"] for r in csv.DictReader(io.StringIO(text))
        if 0 < int(r["tokens"]) <= 128}
embedded = subprocess.run([os.path.join(work, "choose")], input="\n".join(rows.values()),
                          text=True, capture_output=True, check=True).stdout.split()
said = subprocess.run([program, "select", "--fit", os.path.join(work, "model.yaml"),
                       "--histograms", path if os.path.exists(path) else path + ".gz", "--json"],
                      text=True, capture_output=True, check=True).stdout
chosen = {c["histogram"]: c for c in json.loads(said)["choices"]}
assert len(embedded) == len(rows) > 20, (len(embedded), len(rows))
wrong = 0
for name, choice in zip(rows, embedded):
    if any(chosen[name][p.split("=")[0]] != int(p.split("=")[1]) for p in choice.split(",")):
        wrong += 1
        print("differs:", choice, chosen[name])
tables = json.load(open(os.path.join(work, "olmoe.json")))
assert tables["schema"] == "wavecast/selector/1" and tables["experts"] == 64
nodes = tables["active_nodes"] * tables["row_nodes"]
for group in tables["groups"]:
    assert len(group["scores"]) == len(group["levels"]) * nodes * len(group["members"])
    assert all(0 <= s <= 65535 for s in group["scores"])
print(len(rows), "routings,", wrong, "chosen otherwise")
sys.exit(wrong > len(rows) // 20)
PYTHON
