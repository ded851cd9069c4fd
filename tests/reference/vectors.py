"""Kernels on vectors and matrices without matmuls: arithmetic, types, masks, reductions, broadcasts."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import IndexType, bf16, f16, f32, i1, i8, i32
from xdsl.ir import Attribute

from reference.builder import Kernel, Value
from reference.case import Cases, inside, matrix
from reference.elements import Array

CASES = Cases()
N = 1500
ULPS = 1e-6
"""What a function of fp32 may differ by between two implementations, and division by a reciprocal."""


def _vector(n: int, *elements: Attribute) -> tuple[tuple[Attribute, list[int]], ...]:
    return tuple((e, [n]) for e in elements)


@CASES.add(*_vector(3000, f32, f32, f32), grid=(3,))
@CASES.add(*_vector(3000, bf16, bf16, bf16), grid=(3,), name="add-bf16")
@CASES.add(*_vector(3000, f16, f16, f16), grid=(3,), name="add-f16")
def add(k: Kernel, x: Value, y: Value, out: Value) -> None:
    at = k.program_id() * 1024 + k.arange(1024)
    mask = at < 3000
    k.store(out + at, k.load(x + at, mask) + k.load(y + at, mask), mask)


def _sizes(k: Kernel, x: Value, out: Value, size: int, valid: int) -> None:
    at = k.arange(size)
    mask = at < valid
    v = k.load(x + at, mask, 3.0)
    k.store(out + at, v * v - 1.0, mask)


for size in (1, 2, 7, 64, 100, 128, 130, 1024, 8192):
    for valid in sorted({0, 1, 7, size - 1, size}):
        if valid <= size:
            CASES.add((f32, [size]), (f32, [size]), parameters=(size, valid), name="sizes")(_sizes)


@CASES.add((f32, [256, 300]), (f32, [256, 300]), (f32, [256, 300]), grid=(2, 3))
@CASES.add((bf16, [256, 300]), (bf16, [256, 300]), (bf16, [256, 300]), grid=(2, 3), name="add_2d-bf16")
def add_2d(k: Kernel, x: Value, y: Value, out: Value) -> None:
    rows, columns = k.program_id(0) * 128 + k.arange(128), k.program_id(1) * 128 + k.arange(128)
    mask = inside(rows, columns, 250, 299)
    a, b = (k.load(matrix(k, m, rows, columns, 300), mask) for m in (x, y))
    k.store(matrix(k, out, rows, columns, 300), a + b, mask)


@CASES.add((f32, [5, 100]), (f32, [5, 100]), grid=(5,), rtol=4 * ULPS)
def softmax_rows(k: Kernel, x: Value, out: Value) -> None:
    columns = k.arange(128)
    at, mask = k.program_id() * 100 + columns, columns < 100
    v = k.load(x + at, mask, -np.inf)
    e = k.unary("exp", v - v.reduce("max", 0))
    k.store(out + at, e / e.reduce("sum", 0), mask)


@CASES.add((f32, [150, 100]), (f32, [150, 100]), grid=(3,), rtol=4 * ULPS)
def softmax_blocks(k: Kernel, x: Value, out: Value) -> None:
    rows, columns = k.program_id() * 64 + k.arange(64), k.arange(128)
    mask = inside(rows, columns, 150, 100)
    v = k.load(matrix(k, x, rows, columns, 100), mask, -np.inf)
    e = k.unary("exp", v - v.reduce("max", 1, keep=True))
    k.store(matrix(k, out, rows, columns, 100), e / e.reduce("sum", 1, keep=True), mask)


for kind in ("sum", "max", "min"):

    @CASES.add((f32, [64, 96]), (f32, [64]), parameters=(kind,), rtol=ULPS, atol=1e-5)
    @CASES.add((bf16, [64, 96]), (bf16, [64]), parameters=(kind,), name="reduce_columns-bf16", rtol=0.01, atol=0.01)
    def reduce_columns(k: Kernel, x: Value, out: Value, kind: str) -> None:
        rows, columns = k.arange(64), k.arange(96)
        k.store(out + rows, k.load(matrix(k, x, rows, columns, 96)).reduce(kind, 1))

    @CASES.add((f32, [64, 96]), (f32, [96]), parameters=(kind,), rtol=ULPS, atol=1e-5)
    def reduce_rows(k: Kernel, x: Value, out: Value, kind: str) -> None:
        rows, columns = k.arange(64), k.arange(96)
        k.store(out + columns, k.load(matrix(k, x, rows, columns, 96)).reduce(kind, 0))

    @CASES.add((f32, [300]), (f32, [1]), parameters=(kind,), rtol=ULPS, atol=1e-5)
    def reduce_all(k: Kernel, x: Value, out: Value, kind: str) -> None:
        total = k.load(x + k.arange(300)).reduce(kind, 0)
        k.store(out, total)


@CASES.add((f32, [64, 96]), (f32, [64, 96]), rtol=ULPS, atol=1e-5)
def reduce_both_axes(k: Kernel, x: Value, out: Value) -> None:
    rows, columns = k.arange(64), k.arange(96)
    at = rows.column() * 96 + columns.row()
    v = k.load(x + at)
    k.store(out + at, v - v.reduce("max", 0, keep=True) - v.reduce("max", 1, keep=True))


def _arithmetic(k: Kernel, x: Value, y: Value, out: Value, symbol: str) -> None:
    at = k.arange(N)
    k.store(out + at, k.binary(symbol, k.load(x + at), k.load(y + at)))


for element in (f32, bf16, f16):
    for symbol in ("+", "-", "*", "/", "maximum", "minimum"):
        rounding = {"f32": ULPS, "bf16": 0.008, "f16": 0.001}[str(element)] if symbol == "/" else 0.0
        CASES.add(
            *_vector(N, element, element, element),
            parameters=(symbol,),
            name=f"arithmetic-{element}",
            rtol=rounding,
        )(_arithmetic)
for symbol in ("+", "-", "*", "&", "|", "^"):
    CASES.add(*_vector(N, i32, i32, i32), parameters=(symbol,), name="arithmetic-i32")(_arithmetic)
for symbol in ("+", "-", "*", "&", "|", "^", "maximum", "minimum"):
    CASES.add(*_vector(N, i8, i8, i8), parameters=(symbol,), name="arithmetic-i8")(_arithmetic)
CASES.add(*_vector(N, i32, i32, i32), parameters=("//",), name="arithmetic-i32", rejects="no engine has it")(
    _arithmetic
)


def _wide_range(arrays: list[Array]) -> None:
    for a in arrays:
        a[:] = np.random.default_rng(0).integers(-(2**31), 2**31, a.shape)


for symbol in ("+", "-", "*", "maximum", "minimum"):
    CASES.add(*_vector(N, i32, i32, i32), parameters=(symbol,), name="wrapping", prepare=_wide_range)(_arithmetic)


@CASES.add(*_vector(N, i32, i32))
def integer_constants(k: Kernel, x: Value, out: Value) -> None:
    at = k.arange(N)
    v = k.load(x + at)
    k.store(out + at, (v * 7 - 3) * v + 100_000_007)


def _specials(arrays: list[Array]) -> None:
    for number, a in enumerate(arrays):
        a[:] = np.resize([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 3e38][number:], a.shape)


for symbol in ("+", "*", "maximum", "minimum", "maxnum", "minnum"):
    CASES.add(*_vector(N, f32, f32, f32), parameters=(symbol,), name="specials", prepare=_specials)(_arithmetic)


for kind in ("maxnum", "minnum"):

    @CASES.add((f32, [64, 96]), (f32, [64]), parameters=(kind,), prepare=_specials)
    @CASES.add((bf16, [64, 96]), (bf16, [64]), parameters=(kind,), name="reduce_numbers-bf16", prepare=_specials)
    def reduce_numbers(k: Kernel, x: Value, out: Value, kind: str) -> None:
        rows, columns = k.arange(64), k.arange(96)
        k.store(out + rows, k.load(matrix(k, x, rows, columns, 96)).reduce(kind, 1))


@CASES.add(*_vector(N, f32, f32, f32, f32), prepare=_specials)
@CASES.add(*_vector(N, f32, f32, f32, f32), name="choose-random")
@CASES.add(*_vector(N, bf16, bf16, bf16, bf16), name="choose-bf16")
def choose(k: Kernel, x: Value, y: Value, z: Value, out: Value) -> None:
    at = k.arange(N)
    a, b, c = (k.load(m + at) for m in (x, y, z))
    ordered = (a < b) & (b <= c) | (a > 0.5)
    odd = k.compare("ne", a, c) ^ k.compare("eq", b, 0.0) ^ (c >= a)
    k.store(out + at, k.where(ordered, k.where(odd, a, b), k.where(odd, c, -2.0)))


@CASES.add(*_vector(N, f32, f32))
def choose_constants(k: Kernel, x: Value, out: Value) -> None:
    at = k.arange(N)
    a = k.load(x + at)
    one, two = k.full((N,), 1.0, f32), k.full((N,), 2.0, f32)
    r = k.where(a > 0.0, one, two) + k.where(a < -1.0, a, 0.25) + k.where(a > 1.0, two, a)
    k.store(out + at, r)


def _neighbours(arrays: list[Array]) -> None:
    """Integers that fp32 can't tell apart."""
    _wide_range(arrays[:1])
    arrays[1][:] = arrays[0] + np.random.default_rng(1).integers(-1, 2, arrays[0].shape, np.int32)


@CASES.add(*_vector(N, i32, i32, f32), prepare=_neighbours)
def compare_integers(k: Kernel, x: Value, y: Value, out: Value) -> None:
    at = k.arange(N)
    a, b = k.load(x + at), k.load(y + at)
    k.store(out + at, k.where(a < b, k.full((N,), 1.0, f32), 2.0))


@CASES.add(*_vector(N, f32, f32))
def index_values(k: Kernel, x: Value, out: Value) -> None:
    at = k.arange(N)
    weights = (at * 3 - 40).to(f32)
    k.store(out + at, k.where(at < 700, k.load(x + at), weights))


@CASES.add(*_vector(4 * 64, f32), grid=(4,))
def index_values_of_programs(k: Kernel, out: Value) -> None:
    at = k.program_id() * 64 + k.arange(64)
    k.store(out + at, at.to(f32))


CASTS = {
    (f32, bf16): None,
    (f32, f16): None,
    (f32, i32): None,
    (f32, i8): None,
    (bf16, f32): None,
    (bf16, f16): None,
    (bf16, i32): None,
    (f16, f32): None,
    (f16, bf16): None,
    (i32, f32): None,
    (i32, bf16): None,
    (i8, f32): None,
    (i8, i32): None,
    (i8, bf16): None,
    (i32, i8): None,
}


def _cast(k: Kernel, x: Value, out: Value, to: Attribute) -> None:
    at = k.arange(N)
    k.store(out + at, k.load(x + at).to(to))


def _halves(arrays: list[Array]) -> None:
    source = np.random.default_rng(1).integers(-300, 300, arrays[0].shape) / 2
    arrays[0][:] = np.clip(source, -128, 127) if arrays[0].dtype == np.int8 else source


for (source, to), refused in CASTS.items():
    CASES.add((source, [N]), (to, [N]), parameters=(to,), name=f"cast-{source}", prepare=_halves, rejects=refused)(
        _cast
    )


@CASES.add(*_vector(N, f32, f32))
def cast_through(k: Kernel, x: Value, out: Value) -> None:
    at = k.arange(N)
    a = k.load(x + at)
    truth = (a > 0.0).to(f32) + a.to(bf16).to(f32) * a.to(i32).to(f32) + a.to(i1).to(f32)
    k.store(out + at, truth)


@CASES.add(*_vector(N, f32, f32), rtol=ULPS)
@CASES.add(*_vector(N, bf16, bf16), rtol=0.02, name="divisions-bf16")
def divisions(k: Kernel, x: Value, out: Value) -> None:
    at = k.arange(N)
    a = k.load(x + at)
    k.store(out + at, k.full((N,), 3.0, a.element) / ((a / 7.0) * (a / 0.1) + 1.0))


@CASES.add((f32, [64, 80]), (f32, [64]), (f32, [80]), (f32, [64, 80]), rtol=4 * ULPS)
def divisions_by_vectors(k: Kernel, x: Value, y: Value, z: Value, out: Value) -> None:
    rows, columns = k.arange(64), k.arange(80)
    at = rows.column() * 80 + columns.row()
    a = k.load(x + at) / k.load(y + rows).column()
    k.store(out + at, k.load(y + rows).column() / (a / k.load(z + columns).row()))


@CASES.add((f32, [64, 80]), (f32, [64]), (f32, [64, 80]))
@CASES.add((bf16, [64, 80]), (bf16, [64]), (bf16, [64, 80]), name="columns-bf16")
@CASES.add((i32, [64, 80]), (i32, [64]), (i32, [64, 80]), name="columns-i32")
def columns(k: Kernel, x: Value, y: Value, out: Value) -> None:
    """A column on either side of operators that do not commute."""
    rows, columns = k.arange(64), k.arange(80)
    at = rows.column() * 80 + columns.row()
    v, c = k.load(x + at), k.load(y + rows).column()
    k.store(out + at, (c - v) * c - (v - c))


@CASES.add((f32, [64, 80]), (f32, [80]), (f32, [64, 80]))
@CASES.add((bf16, [64, 80]), (bf16, [80]), (bf16, [64, 80]), name="rows-bf16")
@CASES.add((i32, [64, 80]), (i32, [80]), (i32, [64, 80]), name="rows-i32")
def rows(k: Kernel, x: Value, y: Value, out: Value) -> None:
    rows, columns = k.arange(64), k.arange(80)
    at = rows.column() * 80 + columns.row()
    v, r = k.load(x + at), k.load(y + columns).row()
    k.store(out + at, (r - v) * r - (v - r))


@CASES.add((f32, [70, 90]), (f32, [70]), (f32, [90]), (f32, [70, 90]))
def masked_row_and_column(k: Kernel, x: Value, y: Value, z: Value, out: Value) -> None:
    rows, columns = k.arange(128), k.arange(128)
    mask = inside(rows, columns, 70, 90)
    v = k.load(matrix(k, x, rows, columns, 90), mask)
    c = k.load(y + rows, rows < 70, 1.0).column()
    r = k.load(z + columns, columns < 90, -1.0).row()
    k.store(matrix(k, out, rows, columns, 90), v * c + r, mask)


@CASES.add((f32, [N]), (f32, [3]), (f32, [N]))
@CASES.add((bf16, [N]), (bf16, [3]), (bf16, [N]), name="scalar_loads-bf16")
def scalar_loads(k: Kernel, x: Value, y: Value, out: Value) -> None:
    at = k.arange(N)
    first, last = k.load(y), k.load(y + k.index(2))
    k.store(out + at, k.load(x + at) * first - last)


@CASES.add((f32, [4]), (f32, [4, 100]), (f32, [4, 100]), grid=(4,))
def scalar_load_of_program(k: Kernel, x: Value, y: Value, out: Value) -> None:
    p = k.program_id()
    at = p * 100 + k.arange(100)
    k.store(out + at, k.load(y + at) - k.load(x + p))


@CASES.add(*_vector(N, f32, f32), rtol=8 * ULPS, atol=ULPS)
@CASES.add(*_vector(N, bf16, bf16), rtol=0.02, atol=0.01, name="functions-bf16")
def functions(k: Kernel, x: Value, out: Value) -> None:
    at = k.arange(N)
    v = k.unary("tanh", k.load(x + at))
    positive = k.unary("abs", v) + 0.5
    total = k.unary("exp", v) + k.unary("log", positive) + k.unary("sqrt", positive) + k.unary("rsqrt", positive)
    k.store(out + at, total + k.unary("sin", v) + k.unary("erf", v) + k.unary("neg", v))


@CASES.add(*_vector(N, f32, f32, i32), prepare=_halves)
@CASES.add(*_vector(N, bf16, bf16, i32), name="roundings-bf16", prepare=_halves)
def roundings(k: Kernel, x: Value, out: Value, whole: Value) -> None:
    at = k.arange(N)
    v = k.load(x + at)
    k.store(out + at, k.unary("floor", v) * 2.0 + k.unary("ceil", v) + k.unary("trunc", v))
    k.store(whole + at, k.unary("trunc", v).to(i32))


def _angles(arrays: list[Array]) -> None:
    arrays[0][:] = np.random.default_rng(2).uniform(-300, 300, arrays[0].shape)


@CASES.add(*_vector(N, f32, f32), parameters=("sin",), atol=3e-7, prepare=_angles)
@CASES.add(*_vector(N, f32, f32), parameters=("cos",), atol=3e-7, prepare=_angles)
@CASES.add(*_vector(N, bf16, bf16), parameters=("sin",), name="angles-bf16", rtol=0.01, atol=3e-7, prepare=_angles)
@CASES.add(*_vector(N, f16, f16), parameters=("cos",), name="angles-f16", rtol=0.002, atol=3e-7, prepare=_angles)
def angles(k: Kernel, x: Value, out: Value, function: str) -> None:
    at = k.arange(N)
    k.store(out + at, k.unary(function, k.load(x + at)))


@CASES.add((f32, [2, 130]), (f32, [130]), parameters=(130,))
@CASES.add((f32, [2, 128]), (f32, [128]), parameters=(128,))
def structured(k: Kernel, x: Value, out: Value, size: int) -> None:
    """Reversed, by a negative stride."""
    one = k.read(x, k.index(size - 1), (-1,), (size,), (min(size, 100),), 2.0)
    k.write(one + k.read(x, k.index(size), (1,), (size,)), out, k.index(0), (1,), (size,))


@CASES.add((f32, [4, 6, 8]), (f32, [4, 6, 8]))
def three_dimensions(k: Kernel, x: Value, out: Value) -> None:
    at = k.index(0)
    v = k.read(x, at, (48, 8, 1), (4, 6, 8))
    k.write(v + 1.0, out, at, (48, 8, 1))


def _places(arrays: list[Array]) -> None:
    arrays[1] %= len(arrays[0])


@CASES.add((f32, [100]), (i32, [100]), (f32, [100]), prepare=_places)
def gather(k: Kernel, x: Value, places: Value, out: Value) -> None:
    at = k.arange(100)
    k.store(out + at, k.load(x + k.load(places + at).to(IndexType())))


@CASES.add(*_vector(200, f32, f32))
def lower_bound(k: Kernel, x: Value, out: Value) -> None:
    at = k.arange(200)
    k.store(out + at, k.load(x + at), at > 10)


@CASES.add((f32, [64, 64]), (f32, [64, 64]))
def triangle(k: Kernel, x: Value, out: Value) -> None:
    rows, columns = k.arange(64), k.arange(64)
    at = rows.column() * 64 + columns.row()
    k.store(out + at, k.load(x + at), rows.column().broadcast((64, 64)) >= columns.row())
