"""Random operands and data for tests of single instructions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from executor.machine_code import WIDTH, Array, gather, narrow, scatter, single, widen
from hypothesis import settings
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.alu import UNARY
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import Alu

SLOT = 256
"""Bytes that an operand may span."""
FLOATS = ("float32", "bfloat16", "float16", "float8_e4m3", "float8_e5m2", "tfloat32")
INTEGERS = ("int32", "int16", "int8", "uint32", "uint16", "uint8")
ANY = (*FLOATS, *INTEGERS)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, np.inf, -np.inf, np.nan, 1e-40, 3e38, -3e38, 254.5, 2.0**31, 65504.0)

quick = settings(max_examples=40)
seeds = st.integers(0, 2**32 - 1)
types = st.sampled_from(ANY)


@dataclass
class Layout:
    """Partitions, the start partition of each operand, and the counts of the free dimensions that full ones have."""

    draw: st.DrawFn
    partitions: int
    counts: tuple[int, ...]
    taken: int = 0
    accesses: list[Access] = field(default_factory=list)

    @property
    def free(self) -> int:
        return math.prod(self.counts)

    def full(self, type_name: str, writes: bool = False, space: Space = Space.SBUF) -> Access:
        counts = self.counts if self.draw(st.booleans()) else (self.free,)
        return self.place(type_name, counts, self.partitions, writes, space)

    def column(self, type_name: str, writes: bool = False) -> Access:
        return self.place(type_name, (1,), self.partitions, writes)

    def place(
        self, type_name: str, counts: tuple[int, ...], partitions: int, writes: bool, space: Space = Space.SBUF
    ) -> Access:
        """An access in a slot of its own, in one of the shapes that steps can make."""
        type_ = by_name(type_name).type
        styles = ["packed", "gaps", "columns", "reversed", *([] if writes else ["broadcast"])]
        style = self.draw(st.sampled_from(styles))
        steps = _steps(counts, style)
        dims = tuple(zip(steps, counts, strict=True))
        start = self.draw(st.sampled_from(_starts(partitions)))
        access = Access(space, type_, dims, start, partitions, Expr(0))
        address = SLOT * self.taken - access.extent[0]
        self.taken += 1
        assert access.extent[1] - access.extent[0] <= SLOT and SLOT * self.taken <= WIDTH
        return Access(space, type_, dims, start, partitions, Expr(address))


def _steps(counts: tuple[int, ...], style: str) -> list[int]:
    order = range(len(counts)) if style == "columns" else range(len(counts) - 1, -1, -1)
    steps, step = [0] * len(counts), 2 if style == "gaps" else 1
    for axis in order:
        steps[axis] = step
        step *= counts[axis]
    if style == "reversed":
        steps[-1] = -steps[-1]
    if style == "broadcast":
        steps[0] = 0
    return steps


def _starts(partitions: int) -> list[int]:
    step = 32 if partitions <= 32 else 64 if partitions <= 64 else 128
    return [s for s in range(0, 128, step) if s + partitions <= 128]


@st.composite
def layouts(draw: st.DrawFn, partitions: tuple[int, ...] = (1, 3, 32, 40, 64, 100, 128)) -> Layout:
    several = st.lists(st.integers(1, 3), min_size=1, max_size=4).filter(lambda sizes: math.prod(sizes) <= 32)
    counts = draw(st.one_of(several, st.lists(st.integers(1, 32), min_size=1, max_size=1)).map(tuple))
    return Layout(draw, draw(st.sampled_from(partitions)), counts)


def images(seed: int, accesses: tuple[Access, ...], specials: bool = True) -> tuple[Array, Array]:
    """Random images in which the elements of some accesses are numbers of all signs and sizes, or special values."""
    rng = np.random.default_rng(seed)
    sbuf, psum = (rng.integers(0, 256, (128, WIDTH), np.uint8) for _ in range(2))
    for access in accesses:
        shape = (access.partitions, access.free_elements)
        values = rng.standard_normal(shape) * 10.0 ** rng.integers(-2, 4 if specials else 2)
        if specials:
            values = np.where(rng.random(shape) < 0.2, rng.choice(SPECIAL, shape), values)
        with np.errstate(all="ignore"):
            scatter(access, narrow(values, access.element_type), sbuf, psum)
    return sbuf, psum


Prelude = tuple[str, Mapping[str, Access | float | None], Mapping[str, Any]]
"""Name, operands and fields of an instruction."""


def check(
    name: str,
    engine: Engine,
    operands: Mapping[str, Access | float | None],
    fields: Mapping[str, Any],
    seed: int,
    expected: Callable[[dict[str, Array]], dict[str, Array]],
    target: str = "trn1",
    specials: bool = True,
    close: float = 0.0,
    given: Mapping[str, Array] | None = None,
    prelude: Sequence[Prelude] = (),
) -> None:
    """Runs the instruction and compares what it leaves with what `expected` makes of the inputs' elements ([P, N]).
    Operands hold random values, or the `given` ones.

    The instructions of `prelude` run before it on its engine; their operands have names such as `0.dst`.
    """
    named = {f"{k}.{key}": a for k, (_, others, _) in enumerate(prelude) for key, a in others.items()}
    tiles = {key: a for key, a in (named | dict(operands)).items() if isinstance(a, Access)}
    sbuf, psum = images(seed, tuple(tiles.values()), specials)
    for key, values in (given or {}).items():
        scatter(tiles[key], values, sbuf, psum)
    before = {key: gather(a, sbuf, psum) for key, a in tiles.items()}
    wanted_sbuf, wanted_psum = sbuf.copy(), psum.copy()
    with np.errstate(all="ignore"):
        results = expected(before)
    for key, values in results.items():
        scatter(tiles[key], values, wanted_sbuf, wanted_psum)
    single(name, engine, operands, fields, sbuf, psum, target, tuple(prelude))
    for key, values in results.items():
        got = gather(tiles[key], sbuf, psum)
        if close:
            np.testing.assert_allclose(widen(got), widen(values), rtol=close, atol=close)
        else:
            np.testing.assert_array_equal(widen(got), widen(values))
        scatter(tiles[key], got, wanted_sbuf, wanted_psum)
    np.testing.assert_array_equal(sbuf, wanted_sbuf)
    np.testing.assert_array_equal(psum, wanted_psum)


def space_of(draw: st.DrawFn, engine: Engine) -> Space:
    return Space.SBUF if engine is Engine.GPSIMD else draw(st.sampled_from([Space.SBUF, Space.SBUF, Space.PSUM]))


def scalar(data: st.DataObject, at: Layout, alu: Alu | None = None) -> Access | float:
    """An operand with one value per partition, or a constant; beside an operator of one argument, 0."""
    if alu in UNARY:
        return 0.0
    if data.draw(st.booleans()):
        return at.column("float32")
    return data.draw(st.sampled_from([0.0, 1.0, -1.5, 2.0, 100.0]))


ALU: dict[Alu, Callable[[Any, Any], Array]] = {
    Alu.ADD: lambda a, b: a + b,
    Alu.SUBTRACT: lambda a, b: a - b,
    Alu.MULTIPLY: lambda a, b: a * b,
    Alu.DIVIDE: lambda a, b: a / b,
    Alu.MOD: lambda a, b: a % b,
    Alu.MAXIMUM: lambda a, b: np.where(np.isnan(a) | np.isnan(b), np.nan, np.where(a > b, a, b)),
    Alu.MINIMUM: lambda a, b: np.where(np.isnan(a) | np.isnan(b), np.nan, np.where(a < b, a, b)),
    Alu.ABS_MAX: lambda a, b: np.where(abs(a) > abs(b), a, b),
    Alu.ABS_MIN: lambda a, b: np.where(abs(a) < abs(b), a, b),
    Alu.EQUAL: lambda a, b: a == b,
    Alu.NOT_EQUAL: lambda a, b: a != b,
    Alu.GREATER_EQUAL: lambda a, b: a >= b,
    Alu.GREATER: lambda a, b: a > b,
    Alu.LESS_EQUAL: lambda a, b: a <= b,
    Alu.LESS: lambda a, b: a < b,
    Alu.LOGICAL_AND: lambda a, b: (a != 0) & (b != 0),
    Alu.LOGICAL_OR: lambda a, b: (a != 0) | (b != 0),
    Alu.LOGICAL_XOR: lambda a, b: (a != 0) ^ (b != 0),
    Alu.LOGICAL_NOT: lambda a, b: a == 0,
    Alu.ABS: lambda a, b: np.where(a < 0, -a, np.where(a == 0, np.float32(0), a)),
    Alu.SQUARE: lambda a, b: a * a,
    Alu.RELU: lambda a, b: np.where(a <= 0, np.float32(0), a),
    Alu.BYPASS: lambda a, b: a,
}


def apply(alu: Alu, a: Any, b: Any, reverse: bool = False) -> Array:
    """An arithmetic operator in fp32, comparisons as 1 and 0."""
    a, b = (b, a) if reverse else (a, b)
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    result = np.asarray(ALU[alu](np.asarray(a, np.float32), np.asarray(b, np.float32)))
    return np.broadcast_to(result.astype(np.float32), shape)
