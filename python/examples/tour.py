# SPDX-License-Identifier: Apache-2.0
# %% [markdown]
# # A tour of Wavecast from Python
#
# Cells begin with `# %%`: editors show this script as a notebook, and
# `python3 tour.py [MEASUREMENT_SET]` runs it.

# %%
import sys

import numpy as np

import wavecast

db = wavecast.Database()
print(f"wavecast {wavecast.__version__}: {len(db.gpus())} GPUs, {len(db.models())} models, "
      f"kernels {', '.join(db.kernels())}")

# %% [markdown]
# ## Which configuration, how fast, and why
# 64 tokens of OLMoE on an H200, spread unevenly over the experts.

# %%
step = {"gpu": "h200-sxm", "model": "olmoe-1b-7b", "kernel": "alpha-moe", "tokens": 64,
        "routing": "zipf:1.2"}
answer = db.predict(**step)
print(f"{answer['config']}: {answer['time_us']:.1f} us, limited by {answer['limiting']}")
for factor, time_us in sorted(answer["factors_us"].items(), key=lambda item: -item[1])[:4]:
    print(f"    {factor:8} {time_us:6.1f} us")
print(f"choosing by batch size alone: {answer['static_config']}, {answer['gain_frac']:.1%} slower")

# %% [markdown]
# All configurations are numpy arrays: how many lie within 5 % of the best?

# %%
times = answer["configs"]["time_us"]
print(f"{np.count_nonzero(times <= 1.05 * answer['time_us'])} of "
      f"{answer['configs']['legal'].sum()} legal configurations are within 5 %")

# %% [markdown]
# ## Which optimizations help

# %%
for verdict in db.regions(**step):
    print(f"{verdict['optimization']:14} {verdict['verdict']:8} x{verdict['benefit']:.2f}  "
          f"{verdict['inequality'][:60]}")

# %% [markdown]
# ## What if
# Any field of the GPU can be held at another value.

# %%
for factor in (1, 1.5, 2, 3):
    bandwidth = factor * db.gpu("h200-sxm")["memory.bandwidth_gb_s"]
    changed = db.predict(**step, fields={"memory.bandwidth_gb_s": bandwidth})
    print(f"{bandwidth:6.0f} GB/s: {changed['time_us']:6.1f} us, limited by {changed['limiting']}")

# %% [markdown]
# ## Against measurements
# A measurement set is a folder (docs/measurement-sets.md); the recorded ones are in
# validate/recorded.

# %%
if len(sys.argv) > 1:
    measured = wavecast.MeasurementSet(db, sys.argv[1])
    print(f"{measured.info['gpu']}, {measured.info['kernel']}: "
          f"{np.count_nonzero(~np.isnan(measured.times_us))} timings")
    for name, scores in wavecast.evaluate(measured).items():
        print(f"{name:12} mean regret {scores['regret_mean_frac']:6.2%}, "
              f"p95 {scores['regret_p95_frac']:6.2%}")
    # Fitted to every fourth routing, and judged on the others.
    train = np.arange(0, len(measured.histograms), 4)
    fitted = wavecast.fit(measured, train=train)
    selector = wavecast.Selector(fitted, tokens_max=512)
    print(f"one step: {selector.select(measured.histograms[20])}")
    regret = wavecast.evaluate(measured, fitted)["fit"]["choices"]["regret_frac"]
    print(f"fitted to {len(train)} routings: mean regret on the others "
          f"{np.delete(regret, train).mean():.2%}")
