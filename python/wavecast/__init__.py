# SPDX-License-Identifier: Apache-2.0
"""Predicts how the GPU kernels of Mixture-of-Experts models behave.

A binding of libwavecast: what it says is what the program ``wavecast`` says.

>>> import wavecast
>>> db = wavecast.Database()
>>> db.predict("h200-sxm", "olmoe-1b-7b", "alpha-moe", tokens=64, routing="zipf:1.2")["config"]
'bm=24,bn=32,wn=8,stages=2'
"""
from wavecast._library import WavecastError, version
from wavecast.database import Database, Plan, Problem, routing
from wavecast.measurement import Fit, MeasurementSet, evaluate, fit, load_fit
from wavecast.selector import Selector

__all__ = ["Database", "Fit", "MeasurementSet", "Plan", "Problem", "Selector",
           "WavecastError", "evaluate", "fit", "load_fit", "routing", "version"]
__version__ = version()
