"""Variables that a loop changes by fixed steps, in kernels: as Python changes them, whichever way that is written."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_bad_kernels import imported, written

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.dialects import tile

SIZE, LANES = 64, 8

X = np.random.default_rng(11).standard_normal(SIZE).astype(np.float32)

# Each body is also run by Python, with positions for pointers; `i` are the lanes, and `r` is what is stored at the end.
VALUES = {
    "step of the lanes": "p = x_ptr + i\nfor k in range(4):\n    r += load(p) * k\n    p += i",
    "step from the outer loop": "for n in range(3):\n    p = x_ptr + i\n    for k in range(4):\n        r += load(p) * k\n        p += n * 4",
    "pointer": "p = x_ptr + i\nfor k in range(4):\n    r += load(p) * k\n    p += 8",
    "before the access": "p = x_ptr + i\nfor k in range(4):\n    p += 8\n    r += load(p) * k",
    "backwards": "p = x_ptr + i + 40\nfor k in range(4):\n    r += load(p) * k\n    p -= 8\nr += load(p)",
    "several times": "p = x_ptr + i\nfor k in range(4):\n    r += load(p)\n    p += 5\n    r -= load(p) * k\n    p = p + 3\nr += load(p - 7)",
    "forth and back": "p = x_ptr + i\nfor k in range(4):\n    p = p + 13\n    r += load(p) * k\n    p = p - 5\nr += load(p)",
    "by another name": "p = x_ptr + i\nfor k in range(4):\n    r += load(p)\n    q = p + 8\n    p = q\nr += load(p)",
    "two names": "p = x_ptr + i\nq = p\nfor k in range(4):\n    q = p + 8\n    r += load(p) * k\n    p = q\nr += load(q) - 2 * load(p)",
    "added from the left": "p = x_ptr + i\nfor k in range(4):\n    r += load(p) * k\n    p = 8 + p",
    "scalar pointer": "p = x_ptr\nfor k in range(4):\n    r += load(p + i) * k\n    p += 9",
    "step made in the loop": "p = x_ptr + i\nfor k in range(4):\n    step = i * 0 + 6\n    r += load(p) * k\n    p += step",
    "nest": "p = x_ptr\nfor n in range(2):\n    for k in range(3):\n        r += load(p + i) * k\n        p += 4\n    p += 9\nr += load(p + i)",
    "nest that starts anew": "p = x_ptr\nfor n in range(3):\n    q = p\n    for k in range(2):\n        r += load(q + i) * n\n        q += 8\n    p += 11",
    "set anew": "p = x_ptr + i\nfor k in range(4):\n    r += load(p) * k\n    p = x_ptr + i + (k + 1) * 8\nr += load(p)",
    "set anew from the loop before": "p = x_ptr + i\nfor k in range(2):\n    p += 3\nfor k in range(4):\n    r += load(p) * k\n    p = x_ptr + i + 11 + k * 5\nr += load(p)",
    "set anew and read after": "p = x_ptr + i\nfor k in range(4):\n    p = x_ptr + i + k * 8\n    r += load(p)\nr -= load(p) * 2",
    "index": "n = 3\nfor k in range(4):\n    r += load(x_ptr + n + i) * n\n    n += 7\nr += load(x_ptr + n + i)",
    "index tensor": "at = i * 2\nfor k in range(4):\n    r += load(x_ptr + at) * k\n    at += 3\nr += load(x_ptr + at)",
    "start and step of the range": "n = 1\nfor k in range(20, 2, -5):\n    r += load(x_ptr + n + k + i) * n\n    n += 2\nr += n",
    "one iteration": "p = x_ptr + i\nfor k in range(1):\n    r += load(p)\n    p += 8\nr += load(p)",
    "no iteration": "p = x_ptr + i\nfor k in range(0):\n    r += load(p)\n    p += 8\nr += load(p)",
    "integers": "m = full(3, 'int32')\nfor k in range(4):\n    r += float32(m) * k\n    m = m - 2\nr += float32(m)",
    "integers that wrap around": "m = full(3, 'int8')\nfor k in range(200):\n    m = m + 1\nr += float32(m)",
    "unsigned integers": "m = full(200, 'uint8')\nfor k in range(4):\n    r += float32(m) * k\n    m = m - 3\nr += float32(m)",
    "integers of data": "m = int32(load(x_ptr + i) * 100.0)\nfor k in range(5):\n    m = m + 7\nr += float32(m)",
    "number after the loop": "n = 4\nfor k in range(3):\n    n += 2\n    n -= 1\nr += n if n == 7 else 100",
    "not by a fixed step": "n = 1\ns = 1.0\nfor k in range(4):\n    r += load(x_ptr + i) * s\n    s = s * 2.0\nr += s",
}  # fmt: skip

BEFORE = """
@nki_mlir.jit
def load(p):
    return tl.load(p)
@nki_mlir.jit
def full(n, d: tl.constexpr):
    return tl.full((8,), n, tl.int8 if d == 'int8' else tl.uint8 if d == 'uint8' else tl.int32)
@nki_mlir.jit
def float32(m):
    return m.to(tl.float32)
@nki_mlir.jit
def int32(m):
    return m.to(tl.int32)
"""


def kernel_of(body: str, folder: Path) -> Any:
    source = f"{BEFORE}\n@nki_mlir.jit\ndef kernel(x_ptr, out_ptr):\n"
    start, end = "i = tl.arange(0, 8)\nr = tl.zeros((8,), tl.float32)\n", "\ntl.store(out_ptr + i, r)\n"
    path, _ = written(source + textwrap.indent(start + body + end, "    "), folder)
    return imported(path).kernel


def by_python(body: str) -> np.ndarray:
    scope = {
        "x_ptr": 0,
        "i": np.arange(LANES),
        "r": np.zeros(LANES, np.float64),
        "load": lambda p: X[p],
        "full": lambda n, dtype: np.full(LANES, n, dtype),
        "float32": lambda m: m.astype(np.float32),
        "int32": lambda m: m.astype(np.int32),
    }
    exec(body, {}, scope)
    return scope["r"]


@pytest.mark.parametrize("name", VALUES)
def test_steps_are_python_s(name: str, tmp_path: Path) -> None:
    kernel, out = kernel_of(VALUES[name], tmp_path), np.zeros(LANES, np.float32)
    kernel[1](X, out)
    np.testing.assert_allclose(out, by_python(VALUES[name]), rtol=1e-5, atol=1e-5)


STILL_CARRIED = {"integers that wrap around": 1, "integers of data": 1, "not by a fixed step": 1}
"""Carried values that are no sum and no `start + i * step`."""


@pytest.mark.parametrize("name", VALUES)
def test_only_sums_stay_carried(name: str, tmp_path: Path) -> None:
    module = nki_mlir.pipeline("induction")(kernel_of(VALUES[name], tmp_path).trace(X, X.copy(), grid=1).module)
    loops = [op for op in module.walk() if op.name == "scf.for"]
    carried = [value for loop in loops for value in loop.results if str(value.type) != "tensor<8xf32>"]
    assert len(carried) == STILL_CARRIED.get(name, 0), [str(v.type) for v in carried]
    assert not any(isinstance(tile.element_of(value), tile.PtrType) for value in carried)


POINTER = "a pointer that a loop changes otherwise than by one fixed step"
REFUSED = {
    "by turns": ("p = x_ptr + i\nq = p + 8\nfor k in range(4):\n    r += load(p)\n    p, q = q, p", POINTER),
    "set anew from elsewhere": (
        "p = x_ptr + i + 3\nfor k in range(4):\n    r += load(p)\n    p = x_ptr + i + (k + 1) * 8",
        POINTER,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_takes_no_fixed_steps_is_refused(name: str, tmp_path: Path) -> None:
    body, message = REFUSED[name]
    kernel = kernel_of(body, tmp_path)
    with pytest.raises(nki_mlir.CompileError, match=message):
        kernel[1](X, np.zeros(LANES, np.float32))


@nki_mlir.jit
def adds_rows(x_ptr, y_ptr, out_ptr):
    x_ptr += tl.arange(0, 8)
    y_ptr += tl.arange(0, 8)
    out_ptr += tl.arange(0, 8)
    for _ in range(4):
        tl.store(out_ptr, tl.load(x_ptr) + tl.load(y_ptr))
        x_ptr, y_ptr, out_ptr = x_ptr + 8, y_ptr + 8, out_ptr + 8


def test_only_what_a_carried_pointer_points_into_is_written() -> None:
    """The others may be read-only."""
    x, y, out = X[:32].copy(), X[32:].copy(), np.zeros(32, np.float32)
    x.flags.writeable = y.flags.writeable = False
    adds_rows[1](x, y, out)
    np.testing.assert_array_equal(out, x + y)
    assert adds_rows.trace(x, y, out, grid=1).written == {2}
