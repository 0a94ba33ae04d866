#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times moe_gemm.py at the points that `wavecast plan` chose, into a measurement set.

    wavecast plan --gpu h100-sxm --model olmoe-1b-7b --kernel vllm-triton --budget-s 10 -o plan
    python3 profile_set.py plan -o olmoe-here
    wavecast fit olmoe-here -o olmoe.yaml

The folder of the plan has set.yaml (what is to be timed), histograms.csv (routings) and points.csv (points in the
order of their worth). Experts are gated; all of them are on this rank. Needs PyTorch, Triton and PyYAML.

A point is a CUDA graph of one or more layers, gate+up then down, which rotate over copies of the weights, so that
these come cold from memory. Behind a warm-up it is replayed a few times; the median counts. A point whose first
replay is over `--slow` times the best of its routing so far is not replayed again. At the end the fastest points of
each routing are looked at again, in random order: the smallest of a thousand noisy times is too small. Clocks are
taken as found.
"""
import argparse
import collections
import concurrent.futures
import csv
import datetime
import multiprocessing
import os
import random
import shlex
import shutil
import statistics
import sys
import time

import torch
import triton
import yaml

from moe_gemm import Routing, compile_only, moe_gemm

CONFIG_COLUMNS = ("BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K", "GROUP_SIZE_M", "num_warps", "num_stages")
# What the compiled kernel is: all of the configuration but the order of its programs.
COMPILED_COLUMNS = tuple(column for column in CONFIG_COLUMNS if column != "GROUP_SIZE_M")
OUTPUT_COLUMNS = ("histogram",) + CONFIG_COLUMNS + ("time_us", "regs", "smem_bytes", "threads", "local_bytes",
                                                    "layers", "samples", "spread_frac")
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
LAUNCHES = {"all": ("up", "down"), "up": ("up",), "down": ("down",)}
GRAPH_US = 250        # a graph lasts at least this long: events resolve about half a microsecond
GRAPH_LAYERS_MAX = 16
SAMPLES = 4
LOOKS = 2             # further ones at points
LOOK_POINTS = 40      # that are the fastest of their routing,
LOOK_FRAC = 0.04      # and not slower than the best by more than this
WEIGHT_COPIES_BYTES = 2 << 30  # copies are made until they take this much, many times an L2; two at least

Resources = collections.namedtuple("Resources", "regs smem_bytes threads local_bytes")


def compile_one(values, dtype):
    """In a process of its own: fills Triton's cache. Returns an error's first line, or None."""
    config = dict(zip(COMPILED_COLUMNS, values))
    try:
        compile_only(config, dtype)
    except Exception as error:  # whatever the compiler does with it
        return str(error).splitlines()[0]
    return None


def compile_all(configs, dtype):
    wanted = sorted({tuple(config[column] for column in COMPILED_COLUMNS) for config in configs})
    start = time.monotonic()
    workers = max(1, min(os.cpu_count() or 1, len(wanted)))
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        errors = list(pool.map(compile_one, wanted, [dtype] * len(wanted)))
    failed = [(values, error) for values, error in zip(wanted, errors) if error is not None]
    print(f"compiled {len(wanted) - len(failed)} kernels in {time.monotonic() - start:.0f} s with {workers} processes")
    for values, error in failed:
        print(f"  does not compile: {dict(zip(COMPILED_COLUMNS, values))}: {error}")


def deal_slots(counts, top_k, tokens, generator):
    """Expert of each slot, so that expert e gets counts[e] different tokens; tokens in random order."""
    slots = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    if slots.numel() != tokens * top_k:
        sys.exit(f"a histogram of {slots.numel()} rows; {tokens} tokens have {tokens * top_k}")
    # Dealing round sorted slots puts an expert's rows on different tokens, as none has more than `tokens`.
    by_token = slots.reshape(top_k, tokens).T
    return by_token[torch.randperm(tokens, generator=generator)].contiguous().reshape(-1).cuda()


class Layer:
    """An expert layer's tensors, weights in copies, and which of its launches are run."""

    def __init__(self, model, dtype, launches, tokens_max):
        self.launches = launches
        experts, self.top_k = model["experts"], model["top_k"]
        hidden, intermediate = model["hidden"], model["intermediate"]
        shapes = ((experts, 2 * intermediate, hidden), (experts, hidden, intermediate))
        copy_bytes = sum(e * n * k for e, n, k in shapes) * dtype.itemsize
        count = max(2, -(-WEIGHT_COPIES_BYTES // copy_bytes))
        self.weights = [tuple(self._random(shape, dtype) for shape in shapes) for _ in range(count)]
        slots = tokens_max * self.top_k
        self.x = self._random((tokens_max, hidden), dtype)
        self.up = torch.empty(slots, 2 * intermediate, dtype=dtype, device="cuda")
        self.activated = self._random((slots, intermediate), dtype)
        self.out = torch.empty(slots, hidden, dtype=dtype, device="cuda")

    @staticmethod
    def _random(shape, dtype):
        tensor = torch.empty(shape, dtype=dtype, device="cuda")
        return tensor.normal_(std=shape[-1] ** -0.5)

    def run(self, copy, routing, config):
        """One layer; returns the compiled kernel, which all launches share."""
        up, down = self.weights[copy % len(self.weights)]
        tensors = {"up": (self.x, up, self.up, routing, self.top_k),
                   "down": (self.activated, down, self.out, routing, 1)}
        return [moe_gemm(*tensors[launch], config) for launch in self.launches][-1]


class Timer:
    """Times configurations on routings."""

    def __init__(self, layer, slow):
        self.layer, self.slow = layer, slow
        self.best_us = collections.defaultdict(lambda: float("inf"))
        self.stream = torch.cuda.Stream()
        self.copy = 0
        self.resources = {}

    def _graph(self, routing, config, layers):
        graph = torch.cuda.CUDAGraph()
        graph.capture_begin()
        for _ in range(layers):
            self.layer.run(self.copy, routing, config)
            self.copy += 1
        graph.capture_end()
        return graph

    @staticmethod
    def _replay(graph, layers, samples):
        """Microseconds per layer of each of `samples` replays."""
        events = [torch.cuda.Event(enable_timing=True) for _ in range(samples + 1)]
        events[0].record()
        for event in events[1:]:
            graph.replay()
            event.record()
        events[-1].synchronize()
        return [1000 * a.elapsed_time(b) / layers for a, b in zip(events, events[1:])]

    def _first(self, routing, config):
        """Runs a layer outside a graph: the kernel gets loaded, the weights' copies move on."""
        compiled = self.layer.run(self.copy, routing, config)
        self.copy += 1
        key = tuple(config[column] for column in COMPILED_COLUMNS)
        if key not in self.resources:
            self.resources[key] = Resources(compiled.n_regs, compiled.metadata.shared, 32 * config["num_warps"],
                                            4 * compiled.n_spills)
        return self.resources[key]

    def time(self, histogram, routing, config, expected_us):
        """Replays in us per layer, layers of the graph, and what the kernel takes."""
        with torch.cuda.stream(self.stream):
            resources = self._first(routing, config)
            layers = max(1, min(GRAPH_LAYERS_MAX, round(GRAPH_US / expected_us)))
            graph = self._graph(routing, config, layers)
            samples = self._replay(graph, layers, 1)
            if samples[0] < self.slow * self.best_us[histogram]:
                samples = self._replay(graph, layers, SAMPLES)
        self.best_us[histogram] = min(self.best_us[histogram], statistics.median(samples))
        return samples, layers, resources


def read_points(folder, also):
    """`also` on every histogram, then the rows of points.csv: (histogram, config, predicted_us)."""
    with open(os.path.join(folder, "points.csv"), newline="") as file:
        points = [(row["histogram"], {column: int(row[column]) for column in CONFIG_COLUMNS},
                   float(row["predicted_us"])) for row in csv.DictReader(file)]
    least_us = {}
    for histogram, _, predicted_us in points:
        least_us[histogram] = min(predicted_us, least_us.get(histogram, float("inf")))
    extra = [dict(zip(CONFIG_COLUMNS, map(int, text.split("/")))) for text in also]
    return [(histogram, config, us) for config in extra for histogram, us in least_us.items()] + \
        [point for point in points if point[1] not in extra]


def read_histograms(folder):
    with open(os.path.join(folder, "histograms.csv"), newline="") as file:
        return {row["histogram"]: (int(row["tokens"]), [int(count) for count in row["counts"].split()])
                for row in csv.DictReader(file)}


def check_set_file(about, path):
    for key, allowed in (("weight_dtype", DTYPES), ("launch", LAUNCHES)):
        if about[key] not in allowed:
            sys.exit(f"{path}: {key} {about[key]}; allowed: {', '.join(allowed)}")


def write_set_file(folder, output, slow):
    path = os.path.join(folder, "set.yaml")
    with open(path) as file:
        about = yaml.safe_load(file)
    check_set_file(about, path)
    about["timing"] = (
        f"CUDA graph of 1 to {GRAPH_LAYERS_MAX} layers of at least {GRAPH_US} us (column layers), rotating over copies "
        "of the weights so that they come cold from HBM; routing, activation and final sum not included; median of "
        f"{SAMPLES} replays behind a warm-up, of 1 where that was over {slow:g} times the best so far (column samples); "
        f"the {LOOK_POINTS} fastest of a routing, up to {100 * LOOK_FRAC:g} % slower than the best, timed {LOOKS} times "
        "more at the end; spread_frac is (max - min) / median; clocks as found")
    about["device"] = torch.cuda.get_device_name()
    about["driver"] = f"CUDA {torch.version.cuda}, PyTorch {torch.__version__}, Triton {triton.__version__}"
    about["command"] = shlex.join(["python3"] + sys.argv)
    about["date"] = datetime.date.today().isoformat()
    with open(os.path.join(output, "set.yaml"), "w") as file:
        yaml.safe_dump(about, file, sort_keys=False, width=1000)
    return about


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", help="folder that `wavecast plan -o` wrote")
    parser.add_argument("-o", "--output", required=True, help="folder of the measurement set to write")
    parser.add_argument("--also", action="append", default=[], metavar="M/N/K/GROUP/WARPS/STAGES",
                        help="a configuration that the plan need not have, such as a server's default; repeatable")
    parser.add_argument("--slow", type=float, default=1.6, help="default 1.6; see above")
    parser.add_argument("--limit-s", type=float, default=float("inf"), help="stop after so long, compiling included")
    return parser.parse_args()


class Recorder:
    """Times points and writes them down."""

    def __init__(self, options, about, file):
        dtype, model = DTYPES[about["weight_dtype"]], about["model"]
        histograms = read_histograms(options.plan)
        generator = torch.Generator().manual_seed(1)
        torch.manual_seed(1)
        self.experts = model["experts"]
        self.slots = {name: deal_slots(counts, model["top_k"], tokens, generator)
                      for name, (tokens, counts) in histograms.items()}
        tokens_max = max(tokens for tokens, _ in histograms.values())
        self.timer = Timer(Layer(model, dtype, LAUNCHES[about["launch"]], tokens_max), options.slow)
        self.routings = {}
        self.times_us = collections.defaultdict(dict)  # by histogram and configuration
        self.refused = {}                              # why, by configuration
        self.writer = csv.writer(file, lineterminator="\n")
        self.writer.writerow(OUTPUT_COLUMNS)

    def _routing(self, histogram, block_m):
        if (histogram, block_m) not in self.routings:
            self.routings[histogram, block_m] = Routing(self.slots[histogram], self.experts, block_m)
        return self.routings[histogram, block_m]

    def record(self, histogram, config, expected_us):
        values = tuple(config.values())
        if values in self.refused:
            return
        try:
            samples, layers, resources = self.timer.time(
                histogram, self._routing(histogram, config["BLOCK_SIZE_M"]), config, expected_us)
        except triton.runtime.errors.OutOfResources as error:
            self.refused[values] = str(error).splitlines()[0]
            return
        median_us = statistics.median(samples)
        spread = f"{(max(samples) - min(samples)) / median_us:.3g}" if len(samples) > 1 else ""
        self.times_us[histogram][values] = median_us
        self.writer.writerow((histogram,) + values + (f"{median_us:.6g}",) + resources +
                             (layers, len(samples), spread))

    def contenders(self):
        """The fastest points of each routing, LOOKS times, in random order."""
        points = []
        for histogram, times in self.times_us.items():
            bound_us = min(times.values()) * (1 + LOOK_FRAC)
            fastest = sorted(times.items(), key=lambda item: item[1])[:LOOK_POINTS]
            points += [(histogram, dict(zip(CONFIG_COLUMNS, values)), us) for values, us in fastest if us <= bound_us]
        return [point for _ in range(LOOKS) for point in random.Random(1).sample(points, len(points))]


def record_all(recorder, points, deadline):
    """How many were done before the deadline."""
    for done, point in enumerate(points):
        if time.monotonic() > deadline:
            print("stopped by --limit-s")
            return done
        recorder.record(*point)
    return len(points)


def main():
    start = time.monotonic()
    options = arguments()
    os.makedirs(options.output, exist_ok=True)
    about = write_set_file(options.plan, options.output, options.slow)
    shutil.copy(os.path.join(options.plan, "histograms.csv"), options.output)
    points = read_points(options.plan, options.also)
    compile_all([config for _, config, _ in points], DTYPES[about["weight_dtype"]])
    with open(os.path.join(options.output, "measurements.csv"), "w", newline="") as file:
        recorder = Recorder(options, about, file)
        timing_start, deadline = time.monotonic(), start + options.limit_s
        done = record_all(recorder, points, deadline)
        again = recorder.contenders()
        done_again = record_all(recorder, again, deadline)
    print(f"timed {done} of {len(points)} points, and {done_again} of {len(again)} again, in "
          f"{time.monotonic() - timing_start:.0f} s")
    for values, why in recorder.refused.items():
        print(f"  does not launch: {'/'.join(map(str, values))}: {why}")


if __name__ == "__main__":
    main()
