"""Runs of Triton kernels: nki-mlir against Triton's own interpreter and against NumPy, on the same arrays.

pip install -e '.[bench]'; python benchmarks/interpreter.py [--only NAME] [--seconds S] [--json FILE]

The three sides take turns; figures are medians in ms. `warm` is a launch of a kernel that has run before, `cold` the
first one: compile, checks and run, by a process that has compiled something else. Results are compared before anything
is timed. Torch's tensors share the memory of NumPy's arrays. Machines with few cores: run nothing beside.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from reporting import add_json, table, write_json

import nki_mlir
import nki_mlir.language

KERNELS = Path(__file__).parent / "interpreter_kernels.py"
COLUMNS = (
    "case",
    "interpreter ms",
    "cold ms",
    "warm ms",
    "warm, unchecked ms",
    "NumPy ms",
    "interpreter / cold",
    "interpreter / warm",
    "warm / NumPy",
)
LARGE = 1 << 20
"""Elements from which the goals for large arrays hold."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """A launch of a kernel with `arguments`, of which `inputs` and `output` are the arrays."""

    kernel: str
    name: str
    grid: tuple[int, ...]
    inputs: Sequence[Array]
    output: Array
    arguments: Sequence[Any]
    meta: Mapping[str, int]
    numpy: Callable[[Array], object]
    tolerance: float = 1e-5

    @property
    def elements(self) -> int:
        return max(array.size for array in (*self.inputs, self.output))


def data(*shape: int, dtype: Any = np.float32) -> Array:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32).astype(dtype)


def add(n: int, block: int) -> Case:
    x, y, out = data(n), data(n) + 1, np.empty(n, np.float32)

    def numpy(out: Array) -> None:
        np.add(x, y, out=out)

    name = f"add, {n:,} in blocks of {block:,}"
    return Case("add", name, (-(-n // block),), (x, y), out, (x, y, out, n), {"BLOCK": block}, numpy)


def softmax(rows: int, columns: int) -> Case:
    x, out = data(rows, columns), np.empty((rows, columns), np.float32)

    def numpy(out: Array) -> None:
        np.subtract(x, x.max(1, keepdims=True), out=out)
        np.exp(out, out=out)
        np.divide(out, out.sum(1, keepdims=True), out=out)

    block = 1 << (columns - 1).bit_length()
    return Case(
        "softmax", f"softmax, {rows} x {columns}", (rows,), (x,), out, (out, x, columns), {"BLOCK": block}, numpy
    )


def layernorm(rows: int, columns: int) -> Case:
    x, w, b = data(rows, columns), data(columns), data(columns) + 1
    out = np.empty((rows, columns), np.float32)

    def numpy(out: Array) -> None:
        np.subtract(x, x.mean(1, keepdims=True), out=out)
        np.multiply(out, 1 / np.sqrt(np.square(out).mean(1, keepdims=True) + np.float32(1e-5)), out=out)
        np.multiply(out, w, out=out)
        np.add(out, b, out=out)

    block = 1 << (columns - 1).bit_length()
    arguments = (out, x, w, b, columns, 1e-5)
    return Case(
        "layernorm", f"layernorm, {rows} x {columns}", (rows,), (x, w, b), out, arguments, {"BLOCK": block}, numpy, 1e-4
    )


def matmul(n: int, dtype: Any, block: int) -> Case:
    a, b, c = data(n, n, dtype=dtype), data(n, n, dtype=dtype), np.empty((n, n), np.float32)

    def numpy(out: Array) -> None:
        np.matmul(a.astype(np.float32), b.astype(np.float32), out=out)

    name = f"matmul, {n}^3, {np.dtype(dtype).name}, blocks of {block}"
    meta = {"BLOCK_M": block, "BLOCK_N": block, "BLOCK_K": 32}
    return Case("matmul", name, (n // block, n // block), (a, b), c, (a, b, c, n, n, n), meta, numpy, 2e-3)


def cases() -> Iterator[Callable[[], Case]]:
    """The launches, each made when it is needed."""
    for n, block in ((4096, 1024), (4096, 65536), (1 << 20, 1024), (1 << 20, 65536), (1 << 24, 1024), (1 << 24, 65536)):
        yield lambda n=n, block=block: add(n, block)
    for shape in ((128, 256), (256, 512), (512, 1024), (1024, 1024), (4096, 1024), (256, 4096), (64, 16384)):
        yield lambda shape=shape: softmax(*shape)
    yield lambda: layernorm(1024, 1024)
    for n in (512, 1024):
        for dtype in (np.float16, np.float32):
            for block in (64, 128):
                yield lambda n=n, dtype=dtype, block=block: matmul(n, dtype, block)


@contextmanager
def _as_triton() -> Iterator[None]:
    """`import triton` gives nki-mlir meanwhile."""
    stand_in = ModuleType("triton")
    stand_in.jit, stand_in.cdiv, stand_in.language = nki_mlir.jit, nki_mlir.cdiv, nki_mlir.language  # pyright: ignore[reportAttributeAccessIssue]
    before = {name: sys.modules.get(name) for name in ("triton", "triton.language")}
    sys.modules |= {"triton": stand_in, "triton.language": nki_mlir.language}
    try:
        yield
    finally:
        for name, module in before.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


def kernels(name: str) -> ModuleType:
    """The file of kernels, as a module of its own."""
    spec = importlib.util.spec_from_file_location(name, KERNELS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def launcher(
    kernel: Any, case: Case, as_given: Callable[[Any], Any] = lambda value: value, **meta: Any
) -> Callable[[], object]:
    arguments = [as_given(value) if isinstance(value, np.ndarray) else value for value in case.arguments]
    return lambda: kernel[case.grid](*arguments, **case.meta, **meta)


def check(case: Case, run: Callable[[], object], side: str) -> None:
    wanted = np.empty_like(case.output)
    case.numpy(wanted)
    case.output[...] = 0
    run()
    error = float(np.max(np.abs(case.output - wanted))) / max(1.0, float(np.max(np.abs(wanted))))
    if not error <= case.tolerance:
        raise SystemExit(f"{case.name}, {side}: largest error {error:.2e}, tolerance {case.tolerance:.0e}")


def medians(runs: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Of each, in ms: they take turns until so many seconds are over, at least once."""
    times: list[list[float]] = [[] for _ in runs]
    end = time.perf_counter() + seconds
    while not times[0] or time.perf_counter() < end:
        for run, found in zip(runs, times, strict=True):
            for _ in range(1 if run is runs[0] else 5):
                start = time.perf_counter()
                run()
                found.append(time.perf_counter() - start)
    return [1000 * statistics.median(found) for found in times]


def measure(case: Case, interpreted: ModuleType, torch: Any, seconds: float) -> dict[str, Any]:
    with _as_triton():
        kernel = getattr(kernels("ours"), case.kernel)
    ours = launcher(kernel, case)
    theirs = launcher(getattr(interpreted, case.kernel), case, torch.from_numpy)
    start = time.perf_counter()
    ours()
    cold = 1000 * (time.perf_counter() - start)
    for run, side in ((ours, "nki-mlir"), (theirs, "interpreter"), (ours, "nki-mlir")):
        check(case, run, side)
    compiled = kernel.compile(*case.arguments, grid=case.grid, **case.meta)
    unchecked = lambda: compiled.run(*case.arguments, checks=False, **case.meta)  # noqa: E731
    for _ in range(3):
        unchecked()
    output = case.output
    slow, warm, plain, numpy = medians((theirs, ours, unchecked, lambda: case.numpy(output)), seconds)
    return {
        "case": case.name,
        "elements": case.elements,
        "interpreter ms": round(slow, 2),
        "cold ms": round(cold),
        "warm ms": round(warm, 3),
        "warm, unchecked ms": round(plain, 3),
        "NumPy ms": round(numpy, 3),
        "interpreter / cold": round(slow / cold, 2),
        "interpreter / warm": round(slow / warm, 1),
        "warm / NumPy": round(warm / numpy, 2),
    }


def mean(rows: Sequence[Mapping[str, Any]], column: str) -> float:
    """Geometric."""
    return round(math.exp(statistics.fmean(math.log(row[column]) for row in rows)), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME", help="cases whose name contains this")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="how long the sides take turns")
    add_json(parser)
    options = parser.parse_args()
    os.environ["TRITON_INTERPRET"] = "1"
    try:
        import torch  # pyright: ignore[reportMissingImports]

        interpreted = kernels("interpreted")
    except ImportError as error:
        raise SystemExit(f"{error}; pip install -e '.[bench]' brings what this takes") from None
    with _as_triton():  # so that no case pays for what is imported once
        small = add(1000, 128)
        launcher(kernels("first").add, small)()
    rows = [
        measure(case, interpreted, torch, options.seconds) for make in cases() if options.only in (case := make()).name
    ]
    print(table(rows, COLUMNS))
    large = [row for row in rows if row["elements"] >= LARGE]
    print(f"geometric mean: warm {mean(rows, 'interpreter / warm')} times as fast as the interpreter")
    if large:
        print(
            f"1M elements and more: cold {mean(large, 'interpreter / cold')} times as fast as the interpreter,"
            f" warm {mean(large, 'warm / NumPy')} times as long as NumPy"
        )
    write_json(options.json, rows)


if __name__ == "__main__":
    main()
