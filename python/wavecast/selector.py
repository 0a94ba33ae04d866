# SPDX-License-Identifier: Apache-2.0
"""Choosing a configuration per step from a tabulated fit."""
from typing import Any, Dict

import numpy as np

from wavecast._library import WavecastError, ffi, lib, owned, text
from wavecast.database import Counts
from wavecast.measurement import Fit


class Selector:
    """A fit tabulated for steps of up to ``tokens_max`` tokens: a choice takes microseconds in C.

    Making it takes about a second. It may be shared between threads.
    """

    def __init__(self, fit: Fit, tokens_max: int = 4096):
        self.plan = fit.plan
        self.experts: int = fit.plan.problem.pointer.shape.experts
        self.pointer = owned(lib.wavecast_selector_new, "struct wavecast_selector",
                             lib.wavecast_selector_free, fit.pointer, tokens_max)

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        return lib.wavecast_selector_bytes_get(self.pointer)

    def select(self, counts: Counts) -> Dict[str, Any]:
        """The configuration to launch for the tokens of each expert on this rank.

        ``margin_frac`` says by how much the runner-up is worse, by the times to choose by.
        """
        rows = np.ascontiguousarray(counts, dtype=np.uint32)
        if rows.shape != (self.experts,):
            raise WavecastError("range", f"{rows.size} counts; this rank has {self.experts} "
                                "experts")
        found = ffi.new("struct wavecast_selection *")
        status = lib.wavecast_selector_choose(
            self.pointer, ffi.cast("uint32_t *", rows.ctypes.data), found)
        if status != lib.WAVECAST_OK:
            raise WavecastError(text(lib.wavecast_status_name(status)) or "unknown",
                                "no rows at all, or more than the selector was made for")
        return {"config": self.plan.config(found.config),
                "runner_up": self.plan.config(found.runner_up),
                "index": found.config, "time_us": found.time_us,
                "margin_frac": found.margin_frac}
