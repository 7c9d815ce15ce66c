#!/usr/bin/env python3
"""Writes two small arrays with numpy.save; npy_test.cc compares bytes."""

import pathlib

import numpy as np

here = pathlib.Path(__file__).resolve().parent
values = np.arange(6).reshape(2, 3) / 7 - 0.25
np.save(here / "llff_npy_float64.npy", values)
np.save(here / "llff_npy_float32.npy", values[0].astype(np.float32))
