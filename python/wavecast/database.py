# SPDX-License-Identifier: Apache-2.0
"""The database of GPUs, models and kernels, and predictions from it."""
import math
import os
import subprocess
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

import numpy as np

from wavecast._library import WavecastError, call, ffi, lib, owned, text

Counts = Union[Sequence[int], np.ndarray]
Fields = Mapping[str, Union[float, str]]


def _directories(given: Sequence[str]) -> List[str]:
    """As the program does: those given, then $WAVECAST_HWDB, then the installed database."""
    found = list(given) + [d for d in os.environ.get("WAVECAST_HWDB", "").split(":") if d]
    try:
        done = subprocess.run(["pkg-config", "--variable=hwdbdir", "wavecast"], check=True,
                              capture_output=True, text=True)
        installed = [done.stdout.strip()]
    except (OSError, subprocess.CalledProcessError):
        installed = ["/usr/local/share/wavecast/hwdb", "/usr/share/wavecast/hwdb"]
    found += [d for d in installed if os.path.isdir(d)][:1]
    if not found:
        raise WavecastError("not-found", "no database; name its directory, or set WAVECAST_HWDB")
    return found


class Problem:
    """A GPU, a model's shard and a kernel; what a plan is made for.

    Keeps alive what the library only borrows.
    """

    def __init__(self, database: "Database", gpu: Any, shape: Any, kernel: Any,
                 dtype: Optional[str] = None, launch: Optional[str] = None):
        self.database = database
        self.gpu = gpu
        self.pointer = ffi.new("struct wavecast_problem *")
        self.pointer.gpu = gpu
        self.pointer.kernel = kernel
        self.pointer.shape = shape[0]
        if dtype is not None:
            self._dtype = ffi.new("enum wavecast_dtype *")
            call(lib.wavecast_dtype_find, dtype.encode(), self._dtype)
            self.pointer.dtype = self._dtype
        if launch is not None:
            self._launch = ffi.new("char[]", launch.encode())
            self.pointer.launch = self._launch

    @property
    def experts(self) -> int:
        """Experts of the model, over all ranks."""
        return self.pointer.shape.experts_global

    @property
    def top_k(self) -> int:
        """Experts per token."""
        return self.pointer.shape.top_k


class Plan:
    """A kernel's configurations made concrete for a problem."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.pointer = owned(lib.wavecast_plan_new, "struct wavecast_plan", lib.wavecast_plan_free,
                             problem.pointer)
        self.count: int = lib.wavecast_plan_config_count(self.pointer)

    def config(self, index: int) -> str:
        """The text form of a configuration, "bm=32,bn=64"."""
        buffer = ffi.new("char[]", 256)
        return text(lib.wavecast_plan_config_format(self.pointer, index, buffer, 256)) or ""

    def columns(self) -> Dict[str, np.ndarray]:
        """Every configuration column as an array with one value per configuration."""
        kernel = self.problem.pointer.kernel
        result = {}
        for c in range(lib.wavecast_kernel_column_count(kernel)):
            name = text(lib.wavecast_kernel_column_at(kernel, c).name) or ""
            result[name] = np.fromiter(
                (lib.wavecast_plan_column_value(self.pointer, i, c) for i in range(self.count)),
                dtype=np.int64, count=self.count)
        return result

    def legal(self) -> np.ndarray:
        """Which configurations may be launched."""
        return np.fromiter((lib.wavecast_plan_config_at(self.pointer, i).legal
                            for i in range(self.count)), dtype=bool, count=self.count)

    def workload(self, histogram: Any) -> Any:
        """A histogram digested for this plan."""
        result = owned(lib.wavecast_workload_new, "struct wavecast_workload",
                       lib.wavecast_workload_free, self.pointer)
        call(lib.wavecast_workload_set, result, histogram)
        return result

    def times(self, workload: Any, predictor: Any) -> "tuple[np.ndarray, np.ndarray]":
        """Predicted times (infinite where illegal), and the scores to choose by, microseconds."""
        time_us, score_us = np.empty(self.count), np.empty(self.count)
        call(lib.wavecast_predict_all, predictor, ffi.NULL, self.pointer, workload,
             ffi.from_buffer("double[]", time_us))
        lib.wavecast_predict_score(self.pointer, ffi.from_buffer("double[]", time_us),
                                   ffi.from_buffer("double[]", score_us))
        return time_us, score_us

    def cost(self, workload: Any, predictor: Any, index: int) -> Dict[str, Any]:
        """The time of one configuration, split by cause."""
        cost = ffi.new("struct wavecast_cost *")
        call(lib.wavecast_predict_estimate, predictor, ffi.NULL, self.pointer, workload, index,
             cost)
        factors = {text(lib.wavecast_factor_name(f)): cost.factor_us[f]
                   for f in range(lib.WAVECAST_FACTOR_COUNT)}
        return {"time_us": cost.total_us, "factors_us": factors,
                "limiting": text(lib.wavecast_factor_name(cost.limiting)), "ctas": cost.ctas,
                "waves": cost.waves, "padding_frac": cost.padding_frac,
                "memory_bytes": cost.memory_bytes, "flop": cost.flop}


def predictor(name: str) -> Any:
    """A cost model by name."""
    out = ffi.new("struct wavecast_predictor **")
    call(lib.wavecast_predictor_find, name.encode(), out)
    return out[0]


def routing(law: str, experts: int, top_k: int, tokens: int, seed: int = 1) -> np.ndarray:
    """Tokens per expert drawn from a law such as "zipf:1.2"; the same on every machine."""
    spec = ffi.new("struct wavecast_routing_spec *")
    call(lib.wavecast_routing_spec_parse, law.encode(), spec)
    draw = ffi.new("struct wavecast_routing_draw *",
                   {"experts": experts, "top_k": top_k, "tokens": tokens, "seed": seed})
    histogram = ffi.new("struct wavecast_histogram *")
    try:
        call(lib.wavecast_routing_generate, spec, draw, histogram)
        return np.array(ffi.unpack(histogram.counts, histogram.experts), dtype=np.uint32)
    finally:
        lib.wavecast_routing_histogram_free(histogram)
        lib.wavecast_routing_spec_free(spec)


class Histogram:
    """Tokens per expert as the library takes them; borrows an array that it keeps."""

    def __init__(self, counts: Counts, top_k: int, tokens: Optional[int] = None):
        self.counts = np.ascontiguousarray(counts, dtype=np.uint32)
        self.pointer = ffi.new("struct wavecast_histogram *")
        self.pointer.experts = len(self.counts)
        self.pointer.top_k = top_k
        total = int(self.counts.sum(dtype=np.uint64))
        most = int(self.counts.max(initial=0))
        self.pointer.tokens = max(most, -(-total // top_k)) if tokens is None else tokens
        self.pointer.counts = ffi.cast("uint32_t *", self.counts.ctypes.data)

    def rank(self, shape: Any) -> Any:
        """The part that the shape's rank sees."""
        part = ffi.new("struct wavecast_histogram *")
        call(lib.wavecast_routing_histogram_slice, self.pointer, shape.expert_first,
             shape.experts, part)
        return part


class Database:
    """GPUs, models and kernels, loaded from directories of YAML files.

    Without arguments the directories are those of ``$WAVECAST_HWDB`` and the
    installed database, as for the program ``wavecast``; directories that are
    given come before them.
    """

    def __init__(self, *directories: str):
        paths = [ffi.new("char[]", d.encode()) for d in _directories(directories)]
        self.pointer = owned(lib.wavecast_hwdb_load, "struct wavecast_hwdb",
                             lib.wavecast_hwdb_free, paths, len(paths))

    def gpus(self) -> List[str]:
        """Ids of the GPUs."""
        return [text(lib.wavecast_hwdb_gpu_at(self.pointer, i).id) or ""
                for i in range(lib.wavecast_hwdb_gpu_count(self.pointer))]

    def models(self) -> List[str]:
        """Ids of the models."""
        return [text(lib.wavecast_hwdb_model_at(self.pointer, i).id) or ""
                for i in range(lib.wavecast_hwdb_model_count(self.pointer))]

    def kernels(self) -> List[str]:
        """Ids of the kernels."""
        return [text(lib.wavecast_hwdb_kernel_id_at(self.pointer, i)) or ""
                for i in range(lib.wavecast_hwdb_kernel_count(self.pointer))]

    def gpu(self, gpu: str) -> Dict[str, Any]:
        """What is known of a GPU: a value, or None, for every key path."""
        out = ffi.new("struct wavecast_gpu **")
        call(lib.wavecast_hwdb_gpu_find, self.pointer, gpu.encode(), out)
        buffer, result = ffi.new("char[]", 256), {}
        for i in range(lib.wavecast_gpu_field_count()):
            field = lib.wavecast_gpu_field_at(i)
            value: Any = lib.wavecast_gpu_field_get(out[0], field)
            if field.kind == lib.WAVECAST_FIELD_FLAG:
                value = bool(value)
            elif field.kind == lib.WAVECAST_FIELD_TEXT:
                value = text(lib.wavecast_gpu_field_format(out[0], field, buffer, 256))
            elif math.isnan(value):
                value = None
            result[text(field.path) or ""] = value
        return result

    def problem(self, gpu: str, model: str, kernel: str, dtype: Optional[str] = None,
                launch: Optional[str] = None,
                fields: Optional[Fields] = None) -> Problem:
        """Looks the ids up. ``fields`` changes GPU fields, by key path.

        A number is the new value; "x1.5" and "+10%" are relative, as in
        ``wavecast whatif --set``, and what depends on a field follows as it does there.
        """
        found = ffi.new("struct wavecast_gpu **")
        shape = ffi.new("struct wavecast_moe_shape *")
        kernels = ffi.new("struct wavecast_kernel **")
        call(lib.wavecast_hwdb_gpu_find, self.pointer, gpu.encode(), found)
        call(lib.wavecast_hwdb_shape_find, self.pointer, model.encode(), shape)
        call(lib.wavecast_hwdb_kernel_find, self.pointer, kernel.encode(), kernels)
        return Problem(self, _changed(found[0], fields or {}), shape, kernels[0], dtype, launch)

    def predict(self, gpu: str, model: str, kernel: str, tokens: Optional[int] = None,
                routing: Union[str, Counts] = "uniform", seed: int = 1,
                dtype: Optional[str] = None, launch: Optional[str] = None,
                fields: Optional[Fields] = None) -> Dict[str, Any]:
        """Predicts every configuration of a kernel for one step, as ``wavecast predict`` does.

        ``routing`` is a law with ``tokens``, or the tokens of each expert (of
        the whole model). The result has

        - ``config``: the configuration to choose, ``time_us`` its time, and
          ``factors_us``, ``limiting``, ``waves``, ``padding_frac``, ...;
        - ``static_config`` and ``static_us``: the choice by batch size alone, and its
          time on this routing; ``gain_frac`` what choosing by routing gains;
        - ``configs``: arrays with one entry for each configuration: its columns,
          ``legal``, ``time_us`` (infinite where illegal) and ``score_us``;
        - ``order``: indices of the legal ones, the choice first;
        - ``counts``: tokens per expert.
        """
        problem = self.problem(gpu, model, kernel, dtype, launch, fields)
        plan, model_of_cost = Plan(problem), predictor("analytic")
        step = _step(problem, routing, tokens, seed)
        even = _step(problem, "uniform", step.pointer.tokens, seed)
        choices = {}
        for name, histogram in (("static", even), ("routed", step)):
            workload = plan.workload(histogram.rank(problem.pointer.shape))
            time_us, score_us = plan.times(workload, model_of_cost)
            choices[name] = int(np.argmin(score_us))
        best = choices["routed"]
        order = np.argsort(score_us, kind="stable")
        result = plan.cost(workload, model_of_cost, best)
        result.update(
            config=plan.config(best), static_config=plan.config(choices["static"]),
            static_us=float(time_us[choices["static"]]),
            gain_frac=float(time_us[choices["static"]] / time_us[best] - 1),
            configs={**plan.columns(), "legal": plan.legal(), "time_us": time_us,
                     "score_us": score_us},
            order=order[np.isfinite(score_us[order])], counts=step.counts)
        return result

    def regions(self, gpu: str, model: str, kernel: str, tokens: Optional[int] = None,
                routing: Union[str, Counts] = "uniform", seed: int = 1,
                dtype: Optional[str] = None, launch: Optional[str] = None,
                fields: Optional[Fields] = None, rules: str = "analytic",
                flips: bool = False) -> List[Dict[str, Any]]:
        """The verdict on every optimization, as ``wavecast regions`` gives it."""
        problem = self.problem(gpu, model, kernel, dtype, launch, fields)
        step = _step(problem, routing, tokens, seed)
        known = {"analytic": lib.WAVECAST_RULES_ANALYTIC, "ramp": lib.WAVECAST_RULES_RAMP}
        if rules not in known:
            raise WavecastError("not-found", f"no rules '{rules}'; allowed: analytic, ramp")
        options = ffi.new("struct wavecast_region_options *",
                          {"rules": known[rules], "flips": flips})
        count = lib.wavecast_optimization_count()
        regions = ffi.new("struct wavecast_region[]", count)
        call(lib.wavecast_regions_evaluate, problem.pointer,
             step.rank(problem.pointer.shape), options, regions)
        return [_region(region) for region in regions]


def _changed(gpu: Any, fields: Fields) -> Any:
    """A copy of a GPU with fields changed."""
    changes = ffi.new("struct wavecast_change[]", len(fields))
    for i, (path, value) in enumerate(fields.items()):
        written = value if isinstance(value, str) else str(float(value))
        call(lib.wavecast_whatif_change_parse, f"{path}={written}".encode(), changes + i)
    copy = ffi.new("struct wavecast_gpu *")
    call(lib.wavecast_whatif_gpu_apply, gpu, changes, len(fields), False, copy)
    return copy


def _step(problem: Problem, law: Union[str, Counts], tokens: Optional[int],
          seed: int) -> Histogram:
    """One step's histogram over all experts of the model."""
    if isinstance(law, str):
        if tokens is None:
            raise TypeError("tokens: needed with a routing law")
        return Histogram(routing(law, problem.experts, problem.top_k, tokens, seed),
                         problem.top_k, tokens)
    return Histogram(law, problem.top_k, tokens)


def _region(region: Any) -> Dict[str, Any]:
    return {
        "optimization": text(region.optimization.name),
        "summary": text(region.optimization.summary),
        "verdict": text(lib.wavecast_verdict_name(region.verdict)),
        "offered": bool(region.offered),
        "benefit": region.benefit,
        "off_us": region.off_us,
        "on_us": region.on_us,
        "off_config": text(region.off_config),
        "on_config": text(region.on_config),
        "inequality": text(region.inequality),
        "flip": text(region.flip) or None,
    }
