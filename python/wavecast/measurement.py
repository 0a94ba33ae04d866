# SPDX-License-Identifier: Apache-2.0
"""Measurement sets: reading them, judging predictions by them, fitting to them."""
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from wavecast._library import call, ffi, lib, owned, text
from wavecast.database import Counts, Database, Histogram, Plan, Problem, predictor

_FRACTIONS = ("regret_mean_frac", "regret_median_frac", "regret_p95_frac", "regret_max_frac",
              "hit1_frac", "mape_frac", "ape_median_frac", "ape_p90_frac", "bias_frac")


def _shape(database: Database, stated: Any) -> Any:
    """The shape that a set or a fit states: a model by name, or by numbers alone."""
    numbers = b"E%d,k%d,%dx%d" % (stated.experts, stated.top_k, stated.hidden,
                                  stated.intermediate)
    shape = ffi.new("struct wavecast_moe_shape *")
    if text(stated.model) and ffi.string(stated.model) != numbers:
        call(lib.wavecast_hwdb_shape_find, database.pointer, stated.model, shape)
        return shape
    return ffi.new("struct wavecast_moe_shape *", {
        "id": numbers, "experts": stated.experts, "experts_global": stated.experts,
        "top_k": stated.top_k, "hidden": stated.hidden, "intermediate": stated.intermediate,
        "gated": True, "tp": 1, "ep": 1, "activation": lib.WAVECAST_ACTIVATION_SWIGLU,
        "weight_dtype": lib.WAVECAST_DTYPE_FP8_BLOCK})


def _problem(database: Database, stated: Any, dtype: Optional[str],
             launch: Optional[str]) -> Problem:
    """The problem that a set or a fit states by ids."""
    gpu, kernel = ffi.new("struct wavecast_gpu **"), ffi.new("struct wavecast_kernel **")
    call(lib.wavecast_hwdb_gpu_find, database.pointer, stated.gpu, gpu)
    call(lib.wavecast_hwdb_kernel_find, database.pointer, stated.kernel, kernel)
    return Problem(database, gpu[0], _shape(database, stated), kernel[0], dtype, launch)


class MeasurementSet:
    """Timings of a kernel's configurations on routing histograms.

    ``times_us`` has a row for each histogram and a column for each
    configuration, NaN where nothing was timed; ``configs`` the configurations'
    columns; ``histograms`` the tokens per expert, with ``labels`` and ``tokens``.
    """

    def __init__(self, database: Database, directory: str):
        self.directory = directory
        self._info = ffi.new("struct wavecast_measurement_info *")
        call(lib.wavecast_measurement_info_load, directory.encode(), self._info)
        self.plan = Plan(self._problem(database))
        self.pointer = self._load()
        self.count: int = lib.wavecast_measurement_config_count(self.pointer)
        self.plan_index = self._plan_index()
        self.labels: List[str] = []
        self.tokens: List[int] = []
        self.histograms: List[np.ndarray] = []
        rows = []
        for h in range(lib.wavecast_measurement_histogram_count(self.pointer)):
            histogram = lib.wavecast_measurement_histogram_at(self.pointer, h)
            self.labels.append(text(histogram.label) or "")
            self.tokens.append(histogram.tokens)
            self.histograms.append(np.array(ffi.unpack(histogram.counts, histogram.experts),
                                            dtype=np.uint32))
            rows.append(ffi.unpack(lib.wavecast_measurement_times_get(self.pointer, h),
                                   self.count))
        self.times_us = np.array(rows)

    @property
    def info(self) -> Dict[str, Any]:
        """What set.yaml says of GPU, kernel, model and date."""
        return {name: text(getattr(self._info, name))
                for name in ("gpu", "kernel", "model", "weight_dtype", "timing", "date")}

    def _problem(self, database: Database) -> Problem:
        info = self._info
        # "fp8_e4m3" and the like say nothing about scales: the kernel's own format is meant.
        known = lib.wavecast_dtype_find(info.weight_dtype, ffi.new("enum wavecast_dtype *"),
                                        ffi.NULL) == lib.WAVECAST_OK
        launch = text(lib.wavecast_measurement_launch_name(info.launch))
        return _problem(database, info, text(info.weight_dtype) if known else None,
                        launch if info.launch != lib.WAVECAST_MEASUREMENT_LAUNCH_ALL else None)

    def _load(self) -> Any:
        kernel = self.plan.problem.pointer.kernel
        count = lib.wavecast_kernel_column_count(kernel)
        columns = ffi.new("char *[]", [lib.wavecast_kernel_column_at(kernel, c).name
                                       for c in range(count)])
        options = ffi.new("struct wavecast_measurement_read_options *",
                          {"config_columns": columns, "config_column_count": count})
        return owned(lib.wavecast_measurement_set_load, "struct wavecast_measurement_set",
                     lib.wavecast_measurement_set_free, self.directory.encode(), options)

    def _plan_index(self) -> np.ndarray:
        """Each configuration's place in the plan; the plan's count where it has none."""
        index = ffi.new("size_t *")
        result = np.full(self.count, self.plan.count, dtype=np.int64)
        for c in range(self.count):
            values = lib.wavecast_measurement_config_at(self.pointer, c)
            if lib.wavecast_plan_config_find(self.plan.pointer, values, index,
                                             ffi.NULL) == lib.WAVECAST_OK:
                result[c] = index[0]
        return result

    def configs(self) -> Dict[str, np.ndarray]:
        """The configurations' columns."""
        columns = lib.wavecast_measurement_column_count(self.pointer)
        rows = np.array([ffi.unpack(lib.wavecast_measurement_config_at(self.pointer, c), columns)
                         for c in range(self.count)], dtype=np.int64)
        return {text(lib.wavecast_measurement_column_name(self.pointer, i)) or "": rows[:, i]
                for i in range(columns)}

    def of_plan(self, values: np.ndarray) -> np.ndarray:
        """Values of the plan's configurations for those of the set, NaN where the plan has none."""
        return np.append(values, np.nan)[self.plan_index]


class Fit:
    """A cost model fitted to timings; see ``fit``."""

    def __init__(self, plan: Plan, pointer: Any):
        self.plan = plan
        self.pointer = pointer

    @property
    def summary(self) -> Dict[str, float]:
        """How the fit came out; fractions are of the measured time."""
        values = lib.wavecast_fit_summary_get(self.pointer)
        return {name: getattr(values, name)
                for name in ("points", "configs", "fallbacks", "rank_deficient", "condition_max",
                             "residual_mape_frac", "residual_p90_frac", "interval_frac")}

    def times(self, workload: Any) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """Times, the scores to choose by, and half-widths of 90 % intervals relative to the times.

        One value per configuration of the plan.
        """
        values = np.empty((3, self.plan.count))
        time_us, score_us, interval_frac = (ffi.from_buffer("double[]", row) for row in values)
        lib.wavecast_fit_predict(self.pointer, workload, time_us, score_us, interval_frac)
        return values[0], values[1], values[2]

    def predict(self, counts: Counts) -> Dict[str, Any]:
        """Predicts every configuration for the tokens of each expert (of the whole model)."""
        problem = self.plan.problem
        workload = self.plan.workload(
            Histogram(counts, problem.top_k).rank(problem.pointer.shape))
        time_us, score_us, interval_frac = self.times(workload)
        best = int(np.argmin(score_us))
        return {"config": self.plan.config(best), "time_us": float(time_us[best]),
                "interval_frac": float(interval_frac[best]),
                "configs": {**self.plan.columns(), "legal": self.plan.legal(), "time_us": time_us,
                            "score_us": score_us, "interval_frac": interval_frac}}

    def save(self, path: str, training: Optional[str] = None) -> None:
        """Writes the fit as YAML; ``wavecast`` and ``load_fit`` read it."""
        call(lib.wavecast_fit_save, self.pointer,
             ffi.NULL if training is None else training.encode(), path.encode())


def fit(measurements: MeasurementSet, form: str = "wave",
        train: Optional[Sequence[int]] = None) -> Fit:
    """Fits a form ("wave", "ramp4") to the timings of a set.

    ``train`` chooses histograms by index; without it all are fitted to.
    """
    chosen = range(len(measurements.histograms)) if train is None else train
    found = ffi.new("struct wavecast_fit_form **")
    call(lib.wavecast_fit_form_find, form.encode(), found)
    plan, legal = measurements.plan, measurements.plan.legal()
    usable = np.append(legal, False)[measurements.plan_index]
    points = [(int(measurements.plan_index[c]), place, float(measurements.times_us[h, c]))
              for place, h in enumerate(chosen)
              for c in np.flatnonzero(usable & ~np.isnan(measurements.times_us[h]))]
    histograms = ffi.new("struct wavecast_histogram *[]",
                         [lib.wavecast_measurement_histogram_at(measurements.pointer, int(h))
                          for h in chosen])
    data = ffi.new("struct wavecast_fit_data *", {
        "plan": plan.pointer, "histograms": histograms, "histogram_count": len(histograms)})
    array = ffi.new("struct wavecast_fit_point[]", points)
    data.points, data.point_count = array, len(array)
    return Fit(plan, owned(lib.wavecast_fit_new, "struct wavecast_fit", lib.wavecast_fit_free,
                           found[0], data))


def load_fit(database: Database, path: str) -> Fit:
    """Reads a saved fit, with the problem that it was made for."""
    identity = ffi.new("struct wavecast_fit_identity *")
    call(lib.wavecast_fit_identity_load, path.encode(), identity)
    launch = text(identity.launch)
    plan = Plan(_problem(database, identity, text(identity.dtype),
                         None if launch == "all" else launch))
    return Fit(plan, owned(lib.wavecast_fit_load, "struct wavecast_fit", lib.wavecast_fit_free,
                           path.encode(), plan.pointer))


def _summary(summary: Any) -> Dict[str, Any]:
    result = {name: getattr(summary, name) for name in _FRACTIONS}
    result.update(histograms=summary.histograms, points=summary.points, top_regret_mean_frac={
        lib.wavecast_evaluate_top_size(i): summary.top_regret_mean_frac[i]
        for i in range(lib.WAVECAST_EVALUATE_TOP_COUNT)})
    return result


def _entry(entry: Any) -> Dict[str, Any]:
    choices = ffi.unpack(entry.choices, entry.all.histograms)
    result = _summary(entry.all)
    result["choices"] = {
        name: np.array([getattr(choice, name) for choice in choices])
        for name in ("histogram", "config", "best_config", "time_us", "best_us", "predicted_us",
                     "regret_frac")}
    return result


def evaluate(measurements: MeasurementSet,
             method: Union[str, Fit] = "analytic") -> Dict[str, Dict[str, Any]]:
    """Holds predictions against a set, as ``wavecast evaluate`` does.

    The result has an entry for the method and one for each baseline
    (best-static, best-single, oracle): regrets and time errors as fractions,
    and ``choices``, arrays with one element for each histogram. A fit is judged
    on all histograms, those that it was fitted to included.
    """
    failure: List[BaseException] = []
    model_of_cost = predictor(method) if isinstance(method, str) else None

    def fill(histogram: int, time_us: Any, score_us: Any) -> None:
        workload = measurements.plan.workload(
            lib.wavecast_measurement_histogram_at(measurements.pointer, histogram))
        if model_of_cost is not None:
            found = measurements.plan.times(workload, model_of_cost)
        else:
            found = method.times(workload)  # type: ignore[union-attr]
        for target, values in zip((time_us, score_us), found):
            ffi.memmove(target, measurements.of_plan(values), 8 * measurements.count)

    @ffi.callback("wavecast_evaluate_predict")
    def predict(_context: Any, histogram: int, time_us: Any, score_us: Any, _error: Any) -> int:
        try:
            fill(histogram, time_us, score_us)
        except BaseException as error:  # it must not pass through C
            failure.append(error)
            return lib.WAVECAST_ERROR_UNSUPPORTED
        return lib.WAVECAST_OK

    name = ffi.new("char[]", (method if isinstance(method, str) else "fit").encode())
    given = ffi.new("struct wavecast_evaluate_predictor *", {"name": name, "predict": predict})
    result = ffi.new("struct wavecast_evaluation *")
    try:
        call(lib.wavecast_evaluate_run, measurements.pointer, given, 1, result)
    except Exception:
        if failure:
            raise failure[0]
        raise
    try:
        return {text(result.entries[i].name) or "": _entry(result.entries[i])
                for i in range(result.entry_count)}
    finally:
        lib.wavecast_evaluate_free(result)
