"""What the examples share: options, printing the levels, checking against NumPy."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import ml_dtypes
import numpy as np

LEVELS = ("tile", "neuron.mem", "neuron.engine", "neuron.isa")
DTYPES = {"float32": np.dtype(np.float32), "bfloat16": np.dtype(ml_dtypes.bfloat16)}


def options(description: str, **sizes: int) -> argparse.Namespace:
    """The command line: --ir [LEVEL], --dtype, --seed, and an option for each size."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--ir", nargs="?", const="all", choices=("all", *LEVELS), help="print one level, or all four")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--seed", type=int, default=0, help="of the random data")
    for name, default in sizes.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
    return parser.parse_args()


def random(shape: int | tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    """Normally distributed, signed."""
    return np.random.default_rng(seed).standard_normal(shape).astype(DTYPES[dtype])


def print_levels(compiled: Any, wanted: str | None) -> None:
    for level in LEVELS if wanted == "all" else filter(None, (wanted,)):
        print(f"// ---- {level} ----")
        print(compiled.ir(level))


def report(kernel: Any, out: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Prints the timeline's summary and the largest error, relative to the largest value; exits with 1 above the
    tolerance."""
    print(kernel.last_run.summary())
    wanted = expected.astype(np.float32)
    error = float(np.max(np.abs(out.astype(np.float32) - wanted)) / np.max(np.abs(wanted)))
    ok = error <= tolerance
    print(f"largest error against NumPy: {error:.2e}, tolerance {tolerance:.0e}: {'ok' if ok else 'WRONG'}")
    if not ok:
        sys.exit(1)
