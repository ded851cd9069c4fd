"""Every element-wise, reducing and pattern instruction against NumPy.

The expectation works on an image of the memories by explicit byte indices, with formulae written here and in `cases`,
not the executor's; bytes that an instruction does not write must stay as they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from executor.cases import ALU, ANY, INTEGERS, Layout, apply, check, layouts, quick, scalar, seeds, space_of, types
from executor.machine_code import NUMPY, WIDTH, Array, narrow, single, widen
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import FloatAttr, f32
from xdsl.ir import Attribute

from nki_mlir.costs.instructions import PREDICATES
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.alu import ABSOLUTE_EXTREMA, PARTITION_REDUCING, UNARY
from nki_mlir.dialects.dtypes import by_name, dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME, INSTRUCTIONS, REDUCING, Alu, Function, Instance
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning import MEANING, meaning
from nki_mlir.executor.operators import ARITHMETIC, BITWISE, FUNCTIONS, IDENTITY, REDUCTIONS
from nki_mlir.targets import PREDICATES as ASKED
from nki_mlir.targets import TARGETS, load

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def test_tables_are_complete() -> None:
    assert set(MEANING) == {i.name for i in INSTRUCTIONS if "neuron.isa" in i.levels}
    assert set(ARITHMETIC) | set(BITWISE) | PARTITION_REDUCING == set(Alu) and not set(ARITHMETIC) & set(BITWISE)
    assert set(REDUCTIONS) == REDUCING | ABSOLUTE_EXTREMA | PARTITION_REDUCING
    assert set(IDENTITY) <= set(REDUCTIONS)
    assert set(FUNCTIONS) == set(Function)
    assert set(PREDICATES) == set(ASKED)
    for target in map(load, TARGETS):
        assert all(target.activation.set_of(f.value) for f in Function)


# Element-wise instructions.


def chip(*alus: Alu | None) -> str:
    """A chip that has the operators."""
    return "trn3" if ABSOLUTE_EXTREMA & set(alus) else "trn1"


@quick
@given(st.data(), layouts(), st.sampled_from(sorted(set(ALU) - UNARY)), seeds)
def test_tensor_tensor(data: st.DataObject, at: Layout, alu: Alu, seed: int) -> None:
    first, second = data.draw(
        st.sampled_from([(Space.SBUF, Space.SBUF), (Space.PSUM, Space.SBUF), (Space.SBUF, Space.PSUM)])
    )
    operands = {
        "dst": at.full(data.draw(types), True, space_of(at.draw, Engine.VECTOR)),
        "data1": at.full(data.draw(types), space=first),
        "data2": at.full(data.draw(types), space=second),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = apply(alu, widen(tiles["data1"]), widen(tiles["data2"]))
        return {"dst": narrow(result, operands["dst"].element_type)}

    check("tensor_tensor", Engine.VECTOR, operands, {"op": alu}, seed, expected, chip(alu))


@quick
@given(st.data(), layouts(), st.sampled_from([Alu.ADD, Alu.SUBTRACT, Alu.MULTIPLY]), seeds)
def test_tensor_tensor_native_integers(data: st.DataObject, at: Layout, alu: Alu, seed: int) -> None:
    """32-bit integers on GpSimd are exact and wrap; other combinations go through fp32."""
    kinds = data.draw(st.lists(st.sampled_from(["int32", "uint32", "int16"]), min_size=3, max_size=3))
    operands = {
        "dst": at.full(kinds[0], True),
        "data1": at.full(kinds[1]),
        "data2": at.full(kinds[2]),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        if "int16" in kinds:
            result = apply(alu, widen(tiles["data1"]), widen(tiles["data2"]))
            return {"dst": narrow(result, operands["dst"].element_type)}
        a, b = (tiles[n].astype(object) for n in ("data1", "data2"))
        result = {Alu.ADD: lambda: a + b, Alu.SUBTRACT: lambda: a - b, Alu.MULTIPLY: lambda: a * b}[alu]()
        return {"dst": (result % 2**32).astype(np.uint32).view(NUMPY[kinds[0]])}

    check("tensor_tensor", Engine.GPSIMD, operands, {"op": alu}, seed, expected)


def test_integers_lose_bits_on_vector_only() -> None:
    at = [Access(Space.SBUF, by_name("int32").type, ((1, 1),), 0, 1, Expr(4 * k)) for k in range(3)]
    for engine, wanted in ((Engine.GPSIMD, 2**24 + 1), (Engine.VECTOR, 2**24)):
        sbuf, psum = np.zeros((128, WIDTH), np.uint8), np.zeros((128, WIDTH), np.uint8)
        sbuf[0, :8].view(np.int32)[:] = 2**24, 1
        single("tensor_tensor", engine, {"data1": at[0], "data2": at[1], "dst": at[2]}, {"op": Alu.ADD}, sbuf, psum)
        assert sbuf[0, 8:12].view(np.int32)[0] == wanted


@quick
@given(st.data(), layouts(), st.sampled_from(sorted(set(BITWISE) - UNARY)), seeds)
def test_bitwise(data: st.DataObject, at: Layout, alu: Alu, seed: int) -> None:
    kind = data.draw(st.sampled_from(INTEGERS))
    width = np.dtype(f"u{dtype(by_name(kind).type).bytes}")
    operands = {"dst": at.full(kind, True), "data1": at.full(kind), "data2": at.full(kind)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        a, b = (tiles[n].view(width).astype(object) for n in ("data1", "data2"))
        return {"dst": _bitwise(alu, a, b, 8 * width.itemsize).astype(width).view(NUMPY[kind])}

    check("tensor_tensor", Engine.VECTOR, operands, {"op": alu}, seed, expected)


def _bitwise(alu: Alu, a: Array, b: Any, size: int) -> Array:
    mask = 2**size - 1
    functions: dict[Alu, Callable[[int, int], int]] = {
        Alu.INVERT: lambda x, _: ~x & mask,
        Alu.BITWISE_AND: lambda x, y: x & y,
        Alu.BITWISE_OR: lambda x, y: x | y,
        Alu.BITWISE_XOR: lambda x, y: x ^ y,
        Alu.LEFT_SHIFT: lambda x, y: (x << y) & mask if y < size else 0,
        Alu.RIGHT_SHIFT: lambda x, y: x >> y if y < size else 0,
    }
    return np.vectorize(lambda x, y: functions[alu](int(x), int(y)), otypes=[object])(a, b)


@quick
@given(st.data(), layouts(), st.sampled_from(list(BITWISE)), st.sampled_from(["uint8", "int16", "uint32"]), seeds)
def test_bitwise_with_scalars(data: st.DataObject, at: Layout, alu: Alu, kind: str, seed: int) -> None:
    constant = 0 if alu in UNARY else data.draw(st.sampled_from([0, 1, 3, 7, 40, 255, None]))
    width = np.dtype(f"u{dtype(by_name(kind).type).bytes}")
    operand0 = at.column(kind) if constant is None else float(constant)
    operands = {"dst": at.full(kind, True), "data": at.full(kind), "operand0": operand0}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        a, b = (tiles[n].view(width).astype(object) if n in tiles else constant for n in ("data", "operand0"))
        result = _bitwise(alu, np.asarray(a), b, 8 * width.itemsize)
        return {"dst": result.astype(width).view(NUMPY[kind])}

    check("tensor_scalar", Engine.VECTOR, operands, {"op0": alu}, seed, expected)


@quick
@given(st.data(), layouts(), st.sampled_from(list(ALU)), st.sampled_from([*ALU, None]), seeds)
def test_tensor_scalar(data: st.DataObject, at: Layout, op0: Alu, op1: Alu | None, seed: int) -> None:
    reverse0, reverse1 = (alu not in UNARY and data.draw(st.booleans()) for alu in (op0, op1))
    scalars = {"operand0": scalar(data, at, op0), "operand1": scalar(data, at, op1) if op1 is not None else None}
    operands = {
        "dst": at.full(data.draw(types), True, space_of(at.draw, Engine.VECTOR)),
        "data": at.full(data.draw(types), space=space_of(at.draw, Engine.VECTOR)),
        **scalars,
    }
    dst = operands["dst"]
    assert isinstance(dst, Access)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = apply(op0, widen(tiles["data"]), tiles.get("operand0", scalars["operand0"]), reverse0)
        if op1 is not None:
            result = apply(op1, result, tiles.get("operand1", scalars["operand1"]), reverse1)
        result = np.broadcast_to(result, tiles["data"].shape)
        return {"dst": narrow(result, dst.element_type)}

    fields = {"op0": op0, "reverse0": reverse0, "op1": op1, "reverse1": reverse1}
    check("tensor_scalar", Engine.VECTOR, operands, fields, seed, expected, chip(op0, op1))


@quick
@given(st.data(), layouts(), st.sampled_from([Alu.POWER, Alu.RSQRT]), seeds)
def test_tensor_scalar_on_gpsimd(data: st.DataObject, at: Layout, alu: Alu, seed: int) -> None:
    dst, operand = at.full("float32", True), 2.0 if alu is Alu.POWER else 0.0
    operands = {"dst": dst, "data": at.full(data.draw(types)), "operand0": operand}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = widen(tiles["data"])
        return {"dst": x * x if alu is Alu.POWER else (1 / np.sqrt(x.astype(np.float64))).astype(np.float32)}

    check("tensor_scalar", Engine.GPSIMD, operands, {"op0": alu}, seed, expected, close=1e-6)


@quick
@given(st.data(), layouts(), st.sampled_from(list(ALU)), st.sampled_from(sorted(set(ALU) - UNARY)), seeds)
def test_scalar_tensor_tensor(data: st.DataObject, at: Layout, op0: Alu, op1: Alu, seed: int) -> None:
    reverse0, reverse1 = op0 not in UNARY and data.draw(st.booleans()), data.draw(st.booleans())
    constant = scalar(data, at, op0)
    operands = {
        "dst": at.full(data.draw(types), True),
        "data": at.full(data.draw(types)),
        "operand0": constant,
        "operand1": at.full(data.draw(types)),
    }
    dst = operands["dst"]
    assert isinstance(dst, Access)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        result = apply(op0, widen(tiles["data"]), tiles.get("operand0", constant), reverse0)
        return {"dst": narrow(apply(op1, result, widen(tiles["operand1"]), reverse1), dst.element_type)}

    fields = {"op0": op0, "reverse0": reverse0, "op1": op1, "reverse1": reverse1}
    check("scalar_tensor_tensor", Engine.VECTOR, operands, fields, seed, expected, chip(op0, op1))


@quick
@given(st.data(), layouts(), types, types, seeds)
def test_reciprocal(data: st.DataObject, at: Layout, to: str, source: str, seed: int) -> None:
    operands = {"dst": at.full(to, True, space_of(at.draw, Engine.VECTOR)), "data": at.full(source)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        return {"dst": narrow(np.float32(1) / widen(tiles["data"]), operands["dst"].element_type)}

    check("reciprocal", Engine.VECTOR, operands, {}, seed, expected)


# Reductions.


@quick
@given(st.data(), layouts(), st.sampled_from(sorted(REDUCING - set(BITWISE))), types, st.booleans(), seeds)
def test_tensor_reduce(data: st.DataObject, at: Layout, alu: Alu, kind: str, negate: bool, seed: int) -> None:
    source = at.place(kind, at.counts, at.partitions, False, space_of(at.draw, Engine.VECTOR))
    axes = data.draw(st.integers(1, len(at.counts)))
    kept, reduced = math.prod(at.counts[:-axes]), math.prod(at.counts[-axes:])
    to = data.draw(st.sampled_from(["float32", "bfloat16", "int32", "uint8"]))
    operands = {"dst": at.place(to, (kept,), at.partitions, True), "data": source}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = widen(tiles["data"]).reshape(at.partitions, kept, reduced)
        result = _reduced(alu, x)
        return {"dst": narrow(-result if negate else result, operands["dst"].element_type)}

    fields = {"op": alu, "axes": axes, "negate": negate}
    exact = alu in (Alu.MAXIMUM, Alu.MINIMUM) or alu.startswith("logical")
    check("tensor_reduce", Engine.VECTOR, operands, fields, seed, expected, specials=exact, close=0 if exact else 1)


def _reduced(alu: Alu, x: Array) -> Array:
    """Over the last axis, one element after the other; subtract starts from 0."""
    if alu is Alu.SUBTRACT:
        return -np.cumsum(x, -1, dtype=np.float32)[..., -1]
    if alu.startswith("logical"):
        x = (x != 0).astype(np.float32)
    result = x[..., 0]
    for k in range(1, x.shape[-1]):
        result = apply(alu, result, x[..., k])
    return result


@pytest.mark.parametrize("alu", [Alu.BITWISE_AND, Alu.BITWISE_OR, Alu.BITWISE_XOR])
def test_bitwise_reduce(alu: Alu) -> None:
    src = Access(Space.SBUF, by_name("int16").type, ((8, 3), (1, 8)), 0, 32, Expr(0))
    dst = Access(Space.SBUF, by_name("int16").type, ((1, 3),), 0, 32, Expr(256))

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = tiles["data"].view(np.uint16).reshape(32, 3, 8).astype(object)
        result = x[..., 0]
        for k in range(1, 8):
            result = _bitwise(alu, result, x[..., k], 16)
        return {"dst": result.astype(np.uint16).view(np.int16)}

    check("tensor_reduce", Engine.VECTOR, {"dst": dst, "data": src}, {"op": alu, "axes": 1}, 3, expected)


def test_sums_are_accurate() -> None:
    """A sum of 512 fp32 values is good to far less than 512 roundings."""
    src = Access(Space.SBUF, by_name("float32").type, ((1, 400),), 0, 128, Expr(0))
    dst = Access(Space.SBUF, by_name("float32").type, ((1, 1),), 0, 128, Expr(1600))

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        return {"dst": tiles["data"].astype(np.float64).sum(-1, keepdims=True).astype(np.float32)}

    operands = {"dst": dst, "data": src}
    fields = {"op": Alu.ADD, "axes": 1}
    check("tensor_reduce", Engine.VECTOR, operands, fields, 5, expected, specials=False, close=1e-4)


# GpSimd's patterns.


@st.composite
def patterns(draw: st.DrawFn, free: int) -> tuple[tuple[int, ...], int, int]:
    split = draw(st.sampled_from([d for d in range(1, free + 1) if free % d == 0]))
    steps = draw(st.tuples(st.integers(-5, 300), st.integers(-70000, 70000)))
    return (steps[0], split, steps[1], free // split), draw(st.integers(-9, 9)), draw(st.integers(-200, 200))


def _affine(pattern: tuple[int, ...], offset: int, multiplier: int, partitions: int) -> Array:
    values = [
        [
            offset + p * multiplier + a * pattern[0] + b * pattern[2]
            for a in range(pattern[1])
            for b in range(pattern[3])
        ]
        for p in range(partitions)
    ]
    return np.array(values, np.int64)


@quick
@given(st.data(), layouts(), types)
def test_iota(data: st.DataObject, at: Layout, kind: str) -> None:
    pattern, offset, multiplier = data.draw(patterns(at.free))
    operands = {"dst": at.full(kind, True)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        values = _affine(pattern, offset, multiplier, at.partitions)
        if kind in INTEGERS:
            limits = np.iinfo(NUMPY[kind])
            return {"dst": np.clip(values, limits.min, limits.max).astype(NUMPY[kind])}
        return {"dst": narrow(values, operands["dst"].element_type)}

    fields = {"pattern": pattern, "offset": offset, "channel_multiplier": multiplier}
    check("iota", Engine.GPSIMD, operands, fields, 0, expected)


@quick
@given(st.data(), layouts(), types, types, seeds)
def test_affine_select(data: st.DataObject, at: Layout, to: str, source: str, seed: int) -> None:
    pattern, offset, multiplier = data.draw(patterns(at.free))
    test, fill = data.draw(st.sampled_from([Alu.GREATER, Alu.EQUAL, Alu.LESS_EQUAL, Alu.NOT_EQUAL])), -7.5
    operands = {"dst": at.full(to, True), "on_true_tile": at.full(source)}
    type_: Attribute = operands["dst"].element_type

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        values = _affine(pattern, offset, multiplier, at.partitions)
        chosen = apply(test, values, 0) != 0
        taken = tiles["on_true_tile"]
        kept = taken if to == source else narrow(widen(taken), type_)
        return {"dst": np.where(chosen, kept, narrow(np.full(kept.shape, fill), type_))}

    fields = {
        "on_false_value": FloatAttr(fill, f32),
        "pattern": pattern,
        "offset": offset,
        "channel_multiplier": multiplier,
        "cmp_op": test,
    }
    check("affine_select", Engine.GPSIMD, operands, fields, seed, expected)


# Properties of the table of meanings.


@pytest.mark.parametrize("to", ANY)
@pytest.mark.parametrize("source", ANY)
def test_results_are_new_arrays(source: str, to: str) -> None:
    """An instruction's inputs are read when it issues: a result that is a view of them would still change."""
    src, dst = (Access(Space.SBUF, by_name(t).type, ((1, 4),), 0, 2, Expr(at)) for t, at in ((source, 0), (to, 64)))
    cases = [
        ("tensor_copy", Engine.VECTOR, {"dst": dst, "src": src}, {}),
        ("dma_copy", Engine.SYNC, {"dst": dst, "src": src}, {"queue": 0}),
        ("activation", Engine.SCALAR, {"dst": dst, "data": src}, {"op": Function.COPY}),
        ("tensor_scalar", Engine.VECTOR, {"dst": dst, "data": src, "operand0": 0.0}, {"op0": Alu.BYPASS}),
    ]
    for name, engine, operands, fields in cases:
        found = meaning(Instance(BY_NAME[name], engine, operands, fields, load("trn1")))
        view = numerics.bits(src.element_type) if found.bits else numerics.storage(src.element_type)
        tile = np.ones((2, 4), view)
        assert not np.shares_memory(found.compute(tile)[0], tile), name
