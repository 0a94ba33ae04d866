# SPDX-License-Identifier: Apache-2.0
"""The binding says what the program says, number for number.

Run by tests/check_python.sh, which sets WAVECAST_PROGRAM and WAVECAST_SOURCE.
"""
import gc
import json
import os
import subprocess

import numpy as np
import pytest

import wavecast

PROGRAM = os.environ["WAVECAST_PROGRAM"]
SOURCE = os.environ["WAVECAST_SOURCE"]
SET = os.path.join(SOURCE, "validate/recorded/h200-alpha-moe-olmoe")
STEP = {"gpu": "h200-sxm", "model": "olmoe-1b-7b", "kernel": "alpha-moe", "tokens": 64,
        "routing": "zipf:1.2"}


@pytest.fixture(scope="module")
def db():
    return wavecast.Database()


@pytest.fixture(scope="module")
def measured(db):
    return wavecast.MeasurementSet(db, SET)


TRAIN = range(0, 61, 4)


@pytest.fixture(scope="module")
def fitted(measured):
    return wavecast.fit(measured, train=TRAIN)


def program(*arguments, **options):
    flags = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run([PROGRAM, *arguments, *flags, "--json"], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def test_version_is_the_programs():
    done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert wavecast.__version__ in done.stdout


def test_lists_are_the_programs(db):
    listed = program("hwdb", "list")
    assert db.gpus() == [gpu["id"] for gpu in listed["gpus"]]
    assert db.models() == [model["id"] for model in listed["models"]]
    assert db.kernels() == [kernel["id"] for kernel in listed["kernels"]]


@pytest.mark.parametrize("step", [
    STEP,
    {**STEP, "model": "mixtral-8x7b:tp2", "routing": "uniform", "tokens": 1000},
    {**STEP, "model": "deepseek-v3:ep8", "routing": "dirichlet:0.3", "seed": 9},
    {**STEP, "kernel": "vllm-triton", "dtype": "bf16", "launch": "up", "tokens": 7},
])
def test_predictions_are_the_programs(db, step):
    said = program("predict", **step, top=100000)
    got = db.predict(**step)
    assert got["config"] == said["choice"]["routing_aware_config"]
    assert got["time_us"] == pytest.approx(said["choice"]["routing_aware_us"], rel=1e-12)
    assert got["static_config"] == said["choice"]["batch_only_config"]
    assert got["static_us"] == pytest.approx(said["choice"]["batch_only_us"], rel=1e-12)
    assert got["gain_frac"] == pytest.approx(said["choice"]["gain_frac"], rel=1e-9, abs=1e-12)
    assert int(got["configs"]["legal"].sum()) == said["problem"]["legal_configs"]
    first = said["configurations"][0]
    assert got["limiting"] == first["limiting"]
    for factor, value in got["factors_us"].items():
        assert value == pytest.approx(first[factor + "_us"], rel=1e-9, abs=1e-12)
    times = dict(zip(zip(*(got["configs"][c] for c in got["configs"]
                           if c not in ("legal", "time_us", "score_us"))),
                     got["configs"]["time_us"]))
    columns = [c for c in got["configs"] if c not in ("legal", "time_us", "score_us")]
    for row in said["configurations"]:
        assert times[tuple(row[c] for c in columns)] == pytest.approx(row["time_us"], rel=1e-12)


def test_factors_sum_to_the_time(db):
    got = db.predict(**STEP)
    assert sum(got["factors_us"].values()) == pytest.approx(got["time_us"], rel=1e-9)


def test_counts_and_their_law_predict_alike(db):
    drawn = wavecast.routing("zipf:1.2", experts=64, top_k=8, tokens=64)
    assert drawn.sum() == 64 * 8
    by_law, by_counts = db.predict(**STEP), db.predict(**{**STEP, "routing": drawn})
    assert np.array_equal(by_law["counts"], drawn)
    assert np.array_equal(by_law["configs"]["time_us"], by_counts["configs"]["time_us"])
    order = by_counts["order"]
    scores = by_counts["configs"]["score_us"][order]
    assert np.all(np.diff(scores) >= 0) and len(order) == by_counts["configs"]["legal"].sum()


def test_changed_fields_change_the_prediction(db):
    base = db.predict(**STEP)
    same = db.predict(**STEP, fields={"memory.bandwidth_gb_s": 4800})
    faster = db.predict(**STEP, fields={"memory.bandwidth_gb_s": 9600})
    assert same["time_us"] == base["time_us"]
    assert faster["time_us"] < base["time_us"]
    assert db.predict(**STEP, fields={"memory.bandwidth_gb_s": "x2"})["time_us"] == faster["time_us"]
    half = db.problem("h200-sxm", "olmoe-1b-7b", "alpha-moe", fields={"sm_count": 66}).gpu
    assert half.tensor.fp8_tflop_s == pytest.approx(db.gpu("h200-sxm")["tensor.fp8_tflop_s"] / 2)
    assert db.gpu("h200-sxm")["memory.bandwidth_gb_s"] == 4800


def test_regions_are_the_programs(db):
    said = program("regions", **STEP)["regions"]
    got = db.regions(**STEP, flips=True)
    assert [r["optimization"] for r in got] == [r["optimization"] for r in said]
    for ours, theirs in zip(got, said):
        for name in ("verdict", "offered", "off_config", "on_config", "inequality", "flip"):
            assert ours[name] == theirs[name]
        assert ours["benefit"] == pytest.approx(theirs["benefit"], rel=1e-12)


def test_sets_hold_what_the_files_hold(measured):
    assert measured.times_us.shape == (61, 152)
    assert np.count_nonzero(~np.isnan(measured.times_us)) == 9272
    assert measured.info["gpu"] == "h200-sxm"
    assert all(h.sum() == 8 * t for h, t in zip(measured.histograms, measured.tokens))
    assert sorted(measured.configs()) == ["bm", "bn", "stages", "wn"]


def test_evaluations_are_the_programs(measured):
    said = {row["choice"]: row for row in program("evaluate", SET, predictor="analytic")["choices"]
            if row["routings"] == "all"}
    got = wavecast.evaluate(measured)
    assert set(got) == set(said)
    for name, entry in got.items():
        assert entry["regret_mean_frac"] == pytest.approx(said[name]["regret_mean_frac"])
        assert entry["regret_mean_frac"] == pytest.approx(entry["choices"]["regret_frac"].mean())
    assert got["analytic"]["mape_frac"] == pytest.approx(said["analytic"]["mape_frac"])
    assert np.isnan(got["oracle"]["mape_frac"]) and got["oracle"]["regret_max_frac"] == 0


def test_fits_are_the_programs(db, measured, tmp_path):
    path = str(tmp_path / "program.yaml")
    said = program("fit", SET, output=path, form="terms")
    fitted = wavecast.fit(measured, form="terms")
    assert fitted.summary["points"] == said["points"]
    assert fitted.summary["residual_mape_frac"] == pytest.approx(said["residual_mape_frac"])
    loaded = wavecast.load_fit(db, path)
    ours = str(tmp_path / "ours.yaml")
    fitted.save(ours)
    again = wavecast.load_fit(db, ours)
    counts = measured.histograms[20]
    expected = fitted.predict(counts)
    assert 0 < expected["interval_frac"] < 1
    for other in (loaded, again):
        assert other.predict(counts)["config"] == expected["config"]
        np.testing.assert_allclose(other.predict(counts)["configs"]["time_us"],
                                   expected["configs"]["time_us"], rtol=1e-9)


def test_a_fit_to_some_histograms_is_judged_on_all(measured, fitted):
    assert fitted.summary["points"] == len(TRAIN) * 152
    judged = wavecast.evaluate(measured, fitted)["fit"]
    assert judged["mape_frac"] < wavecast.evaluate(measured)["analytic"]["mape_frac"]


def test_a_selector_chooses_as_its_fit(measured, fitted):
    selector = wavecast.Selector(fitted, tokens_max=256)
    assert selector.nbytes > 0
    small = [h for h, tokens in zip(measured.histograms, measured.tokens) if tokens <= 256]
    losses = []
    for counts in small:
        chosen, exact = selector.select(counts), fitted.predict(counts)
        scores = exact["configs"]["score_us"]
        losses.append(scores[chosen["index"]] / scores.min() - 1)
        assert chosen["config"] == selector.plan.config(chosen["index"])
        assert chosen["time_us"] == pytest.approx(
            exact["configs"]["time_us"][chosen["index"]], rel=0.05)
        assert chosen["margin_frac"] >= 0
    assert len(losses) > 30 and max(losses) < 0.05 and np.mean(losses) < 0.005
    for bad in (np.zeros(64, dtype=int), np.full(64, 256), np.ones(63, dtype=int)):
        with pytest.raises(wavecast.WavecastError) as caught:
            selector.select(bad)
        assert caught.value.status == "range"


@pytest.mark.parametrize("change, status, words", [
    ({"gpu": "h200-smx"}, "not-found", "did you mean 'h200-sxm'"),
    ({"model": "olmoe-1b-7b:tp3"}, "range", "divide"),
    ({"kernel": "alpha-mo"}, "not-found", "alpha-moe"),
    ({"gpu": "a100-sxm-80gb"}, "unsupported", ""),
    ({"routing": "zipf:99"}, "range", "[0, 10]"),
    ({"routing": [1, 2, 3]}, "range", ""),
    ({"fields": {"sm_count": -1}}, "range", "sm_count"),
    ({"fields": {"sm_cuont": 1}}, "not-found", "sm_cuont"),
    ({"dtype": "fp7"}, "not-found", "fp8_block"),
])
def test_mistakes_are_named(db, change, status, words):
    with pytest.raises(wavecast.WavecastError) as caught:
        db.predict(**{**STEP, **change})
    assert caught.value.status == status
    assert words in str(caught.value)


def test_a_missing_set_is_an_error(db):
    with pytest.raises(wavecast.WavecastError, match="set.yaml|nowhere"):
        wavecast.MeasurementSet(db, "nowhere")


def test_an_error_in_a_callback_comes_out(measured):
    class Broken(wavecast.Fit):
        def times(self, workload):
            raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        wavecast.evaluate(measured, Broken(measured.plan, None))


def test_results_outlive_what_they_came_from():
    got = wavecast.Database().predict(**STEP)
    plan = wavecast.Plan(wavecast.Database().problem("h200-sxm", "olmoe-1b-7b", "alpha-moe"))
    gc.collect()
    assert got["configs"]["time_us"][got["order"][0]] > 0
    assert plan.config(0).startswith("bm=")


def test_sweep_results_are_the_same_numbers(db, tmp_path):
    import sqlite3

    results = str(tmp_path / "results.db")
    subprocess.run([PROGRAM, "sweep", os.path.join(SOURCE, "tests/sweeps/hopper.yaml"), "-o",
                    results], check=True, capture_output=True)
    with sqlite3.connect(results) as connection:
        rows = connection.execute(
            "SELECT gpu, model, tokens, routing, config, time_us, static_us FROM results "
            "WHERE gpu_fields = 'memory.bandwidth_gb_s=4800' ORDER BY point_id").fetchall()
    assert len(rows) == 4 * 2 * 6 * 4
    for gpu, model, tokens, law, config, time_us, static_us in rows[::37]:
        got = db.predict(gpu, model, "alpha-moe", tokens=tokens, routing=law)
        assert (got["config"], got["time_us"], got["static_us"]) == (config, time_us, static_us)
