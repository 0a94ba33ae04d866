#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What choices cost on the recorded sets of moe_gemm.py: mean regret against a sweep of the whole space, percent.

    python3 judge.py validate/recorded          # `wavecast` must be on PATH

For each recorded shape, h100-triton-moe-<model>, with ten seconds of profiling planned by `wavecast plan`: timed on
other routings (h100-triton-moe-<model>-10s), or, "served", on the routings judged, out of the sweep:

by batch, a file for vLLM       default     what vLLM runs without a file
                                exported    `wavecast export vllm`: nothing was timed
                                after 10 s  `wavecast export vllm --fit`, fitted to other routings
                                best        the best file there can be, tuned on the uniform routings judged
by routing, each its own        analytic    the predicted best: nothing was timed
                                after 10 s  by the fit to other routings
                                served      by the fit to these
"""
import csv
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

MODELS = ("olmoe-1b-7b", "qwen3-30b-a3b", "mixtral-8x7b:tp4", "deepseek-v3:tp8")
COLUMNS = ("default", "exported", "after 10 s", "best", "analytic", "after 10 s", "served")


def wavecast(*words):
    done = subprocess.run(("wavecast",) + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    return done.stdout.decode()


def evaluate(*words):
    """Mean regret by choice and kind of routing, and over all routings as "all"."""
    result = json.loads(wavecast("evaluate", *words, "--json"))
    regret = {(row["choice"], "all"): row["regret_mean_frac"] for row in result["choices"]
              if row.get("routings", "all") == "all"}
    for row in result["by_label"]:
        regret[result["predictor"], row["routing"]] = row["regret_mean_frac"]
        for key, value in row.items():
            if key.endswith("_regret_mean_frac") and not key.startswith("top"):
                regret[key[:-len("_regret_mean_frac")], row["routing"]] = value
    return regret


def profile_served(full, model, scratch):
    """A set of the sweep's rows that ten seconds would have timed; its folder."""
    plan, folder = os.path.join(scratch, "plan"), os.path.join(scratch, "served")
    wavecast("plan", "--gpu", "h100-sxm", "--model", model, "--dtype", "bf16", "--kernel", "vllm-triton",
             "--histograms", os.path.join(full, "histograms.csv.gz"), "--budget-s", "10", "-o", plan)
    os.mkdir(folder)
    for name in ("set.yaml", "histograms.csv.gz"):
        shutil.copy(os.path.join(full, name), folder)
    with open(os.path.join(plan, "points.csv"), newline="") as file:
        rows = csv.reader(file)
        width = len(next(rows)) - 1  # the last column is predicted_us
        planned = {tuple(row[:width]) for row in rows}
    with gzip.open(os.path.join(full, "measurements.csv.gz"), "rt", newline="") as file, \
            open(os.path.join(folder, "measurements.csv"), "w", newline="") as out:
        rows, writer = csv.reader(file), csv.writer(out)
        writer.writerow(next(rows))
        writer.writerows(row for row in rows if tuple(row[:width]) in planned)
    return folder


def judge(sets, model):
    """For uniform and for all routings, a list in the order of COLUMNS."""
    full = os.path.join(sets, "h100-triton-moe-" + model.replace(":", "-"))
    with tempfile.TemporaryDirectory() as scratch:
        fit = os.path.join(scratch, "fit.yaml")
        wavecast("fit", full + "-10s", "-o", fit)
        files = []
        for folder, source in (("exported", ("--gpu", "h100-sxm", "--model", model, "--dtype", "bf16")),
                               ("profiled", ("--fit", fit))):
            wavecast("export", "vllm", *source, "-o", os.path.join(scratch, folder))
            files += glob.glob(os.path.join(scratch, folder, "*.json"))
        names = [os.path.dirname(file) for file in files]
        regret = evaluate(full, "--server", "vllm", "--tuned", files[0], "--tuned", files[1])
        served = evaluate(full, "--fit-from", profile_served(full, model, scratch))
    fitted = evaluate(full, "--fit-from", full + "-10s")

    def key(name, routings):
        return name if routings == "all" else "".join(c if c.isalnum() else "_" for c in name)

    return {routings: [regret[key("vllm default", routings), routings]] +
            [regret[key(name, routings), routings] for name in names] +
            [regret[key("best-static", routings), routings], regret["analytic", routings],
             fitted["wave", routings], served["wave", routings]] for routings in ("uniform", "all")}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    results = {model: judge(sys.argv[1], model) for model in MODELS}
    for routings in ("uniform", "all"):
        print(f"{routings + ' routings':18}" + "".join(f"{name:>12}" for name in COLUMNS))
        for model, values in results.items():
            print(f"{model:18}" + "".join(f"{100 * value:12.2f}" for value in values[routings]))
        means = [sum(column) / len(MODELS) for column in zip(*(values[routings] for values in results.values()))]
        print(f"{'mean':18}" + "".join(f"{100 * value:12.2f}" for value in means) + "\n")


if __name__ == "__main__":
    main()
