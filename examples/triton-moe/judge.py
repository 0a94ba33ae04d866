#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What choices cost on the recorded sets of moe_gemm.py: mean regret against a sweep of the whole space, percent.

    python3 judge.py validate/recorded          # `wavecast` must be on PATH

For each recorded shape, h100-triton-moe-<model>, with ten seconds of profiling planned by `wavecast plan` and timed
apart from the sweep: on other routings (set ...-10s), or, "served", on the routings judged (...-10s-served):

by batch, a file for vLLM       default     what vLLM runs without a file
                                exported    `wavecast export vllm`: nothing was timed
                                after 10 s  `wavecast export vllm --fit`, fitted to other routings
                                served      the same, fitted to these
                                best        the best file there can be, tuned on the uniform routings judged
by routing, each its own        analytic    the predicted best: nothing was timed
                                after 10 s  by the fit to other routings
                                served      by the fit to these
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

MODELS = ("olmoe-1b-7b", "qwen3-30b-a3b", "mixtral-8x7b:tp4", "deepseek-v3:tp8")
COLUMNS = ("default", "exported", "after 10 s", "served", "best", "analytic", "after 10 s", "served")


def wavecast(*words):
    done = subprocess.run(("wavecast",) + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    return done.stdout.decode()


def key_of(choice):
    """A choice's name as the keys of by_label have it."""
    return "".join(c if c.isalnum() else "_" for c in choice)


def evaluate(*words):
    """Mean regret by key_of(choice) and kind of routing, and over all routings as "all"."""
    result = json.loads(wavecast("evaluate", *words, "--json"))
    regret = {(key_of(row["choice"]), "all"): row["regret_mean_frac"] for row in result["choices"]
              if row.get("routings", "all") == "all"}
    for row in result["by_label"]:
        regret[key_of(result["predictor"]), row["routing"]] = row["regret_mean_frac"]
        for key, value in row.items():
            if key.endswith("_regret_mean_frac") and not key.startswith("top"):
                regret[key[:-len("_regret_mean_frac")], row["routing"]] = value
    return regret


def judge(sets, model):
    """For uniform and for all routings, a list in the order of COLUMNS."""
    full = os.path.join(sets, "h100-triton-moe-" + model.replace(":", "-"))
    with tempfile.TemporaryDirectory() as scratch:
        sources = {"exported": ("--gpu", "h100-sxm", "--model", model, "--dtype", "bf16")}
        for kind in ("-10s", "-10s-served"):
            fit = os.path.join(scratch, kind[1:] + ".yaml")
            wavecast("fit", full + kind, "-o", fit)
            sources["file" + kind] = ("--fit", fit)
        tuned, names = [], []
        for folder, source in sources.items():
            names.append(os.path.join(scratch, folder))
            wavecast("export", "vllm", *source, "-o", names[-1])
            tuned += ["--tuned", glob.glob(os.path.join(names[-1], "*.json"))[0]]
        regret = evaluate(full, "--server", "vllm", *tuned)
    fitted, served = (evaluate(full, "--fit-from", full + kind) for kind in ("-10s", "-10s-served"))

    def row(routings):
        files = [regret[key_of(name), routings] for name in ("vllm default", *names, "best-static")]
        return files + [regret["analytic", routings], fitted["wave", routings], served["wave", routings]]

    return {routings: row(routings) for routings in ("uniform", "all")}


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
