#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every `$ wavecast ...` and `$ python3 examples/...` line in the console blocks of README.md
# and docs/*.md and compares what it prints with what stands below it. A line of `...` stands for
# any lines. The commands run in a folder that shows the tree and takes the files that they write.
# Examples on data outside the repository are skipped, loudly, where that data is not there.
# WAVECAST_UPDATE=1 rewrites the documents (blocks without `...`).
set -u
srcdir=${WAVECAST_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
program=${WAVECAST_PROGRAM:-${WAVECAST_BUILDDIR:-$srcdir}/wavecast}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tree" "$scratch/bin"
ln -s "$program" "$scratch/bin/wavecast"
export PATH="$scratch/bin:$PATH" COLUMNS=100
ln -s "$srcdir"/* "$scratch/tree"
ln -s "$srcdir/../shared" "$scratch/shared"
cd "$scratch/tree" || exit 1
python3 - "${WAVECAST_UPDATE:-}" README.md docs/*.md <<'PYTHON'
import os, re, subprocess, sys

update, documents = sys.argv[1] == "1", sys.argv[2:]
ran = failed = skipped = 0


def run(command):
    environment = {k: v for k, v in os.environ.items() if k != "WAVECAST_HWDB"}
    done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment, timeout=120)
    return done.stdout.decode().rstrip("\n").split("\n")


def matches(expected, printed):
    pattern = "".join("(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + "\n"
                      for line in expected)
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


for document in documents:
    lines = open(document, encoding="utf-8").read().split("\n")
    out, i, inside = [], 0, False
    while i < len(lines):
        line = lines[i]
        if line.startswith("```"):
            inside = line == "```console"
        out.append(line)
        i += 1
        if not (inside and line.startswith(("$ wavecast", "$ python3 examples/"))):
            continue
        command = line[2:]
        while command.endswith("\\"):
            out.append(lines[i])
            command = command[:-1] + lines[i].strip()
            i += 1
        expected = []
        while not lines[i].startswith(("```", "$ ")):
            expected.append(lines[i])
            i += 1
        while expected and not expected[-1]:
            expected.pop()
        outside = re.findall(r"\.\./shared\S*", command)
        if any(not os.path.exists(path) for path in outside):
            print("SKIP:", document, command, "(no", outside[0] + ")")
            skipped += 1
        elif (expected or update) and not matches(expected, printed := run(command)):
            if update and "..." not in expected:
                expected = printed
            else:
                print("FAILED:", document + ":", command)
                print("\n".join("  printed: " + p for p in printed))
                failed += 1
        ran += 1
        out += expected
        if lines[i].startswith("$ "):
            out.append("")
    if update:
        text = "\n".join(out)
        if text != "\n".join(lines):
            open(document, "w", encoding="utf-8").write(text)
print(f"{ran} examples, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or ran == 0 else 0)
PYTHON
