"""Reductions into accumulators, scans, selects and statistics against formulae written one element after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from executor.cases import ALU, SLOT, Layout, apply, check, layouts, quick, scalar, seeds, types
from executor.machine_code import Array, narrow, widen
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.alu import UNARY, Alu, ReduceCommand
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

VECTOR = Engine.VECTOR
IDLE, REDUCE = ReduceCommand.IDLE, ReduceCommand.REDUCE
RESET, LOAD = ReduceCommand.RESET_REDUCE, ReduceCommand.LOAD_REDUCE
SUMMING = (Alu.ADD, Alu.SUBTRACT, Alu.MULTIPLY, Alu.MAXIMUM, Alu.MINIMUM)
START = {Alu.ADD: 0.0, Alu.SUBTRACT: 0.0, Alu.MULTIPLY: 1.0, Alu.MAXIMUM: -np.inf, Alu.MINIMUM: np.inf}
BINARY = sorted(set(ALU) - UNARY)
NARROW = ("float32", "bfloat16", "float16", "float8_e4m3", "float8_e5m2", "int16", "int8", "uint16", "uint8")
WRITTEN = ("float32", "bfloat16", "float16")
FP32_MIN = np.float32(-(2 - 2**-23) * 2.0**127)

commands = st.sampled_from([RESET, REDUCE])


class Accumulator:
    """One register per partition; those that nothing has set are NaN."""

    def __init__(self) -> None:
        self.registers = np.full(128, np.nan, np.float32)

    def take(self, command: ReduceCommand, op: Alu, lanes: Access, values: Array, initial: Any = None) -> Array:
        """Values [P, N], one after the other; the registers afterwards, [P, 1]."""
        held = self.registers[lanes.start : lanes.start + lanes.partitions]
        if command is IDLE:
            return held[:, None].copy()
        if command in (RESET, ReduceCommand.RESET):
            held[:] = START[op]
        if command is LOAD:
            held[:] = np.broadcast_to(initial, (len(held), 1))[:, 0]
        for column in range(values.shape[1] if command is not ReduceCommand.RESET else 0):
            held[:] = apply(op, held, values[:, column])
        return held[:, None].copy()


def tile(access: Access | float | None) -> Access:
    assert isinstance(access, Access)
    return access


def value(tiles: dict[str, Array], operands: dict[str, Any], key: str) -> Any:
    """A column or a constant."""
    return widen(tiles[key]) if key in tiles else np.float32(operands[key.rsplit(".", 1)[-1]])


@quick
@given(st.data(), layouts(), st.sampled_from(list(ALU)), st.sampled_from(SUMMING), commands, st.booleans(), seeds)
def test_tensor_scalar_reduce(
    data: st.DataObject, at: Layout, op0: Alu, op: Alu, command: ReduceCommand, negate: bool, seed: int
) -> None:
    """The accumulator that an instruction leaves is the next one's to go on with, on the partitions that both have."""
    command = data.draw(st.sampled_from([command, LOAD]))
    before: dict[str, Any] = {"dst": at.full("bfloat16", True), "data": at.full("bfloat16"), "operand0": 1.0}
    operands: dict[str, Any] = {
        "dst": at.full(data.draw(types), True),
        "data": at.full(data.draw(types)),
        "operand0": scalar(data, at, op0),
        "reduce_res": at.column(data.draw(st.sampled_from(WRITTEN)), True),
    }
    if command is LOAD:
        operands["reduce_init"] = scalar(data, at)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        accumulator = Accumulator()
        first = apply(Alu.MULTIPLY, widen(tiles["0.data"]), 1.0)
        accumulator.take(RESET, op, tile(before["data"]), first)
        t = apply(op0, widen(tiles["data"]), value(tiles, operands, "operand0"))
        initial = value(tiles, operands, "reduce_init") if command is LOAD else None
        total = accumulator.take(command, op, tile(operands["data"]), t, initial)
        return {
            "0.dst": narrow(first, before["dst"].element_type),
            "dst": narrow(t, operands["dst"].element_type),
            "reduce_res": narrow(-total if negate else total, operands["reduce_res"].element_type),
        }

    exact = op in (Alu.MAXIMUM, Alu.MINIMUM)
    prelude = ("tensor_scalar_reduce", before, {"op0": Alu.MULTIPLY, "reduce_op": op, "reduce_cmd": RESET})
    fields = {"op0": op0, "reduce_op": op, "reduce_cmd": command, "reduce_res_negate": negate}
    close = 0 if exact else 0.02
    chip = "trn3" if op0 in (Alu.ABS_MAX, Alu.ABS_MIN) else "trn1"
    check("tensor_scalar_reduce", VECTOR, operands, fields, seed, expected, chip, exact, close, prelude=[prelude])


# One element after the other.


@quick
@given(st.data(), layouts(), st.sampled_from(list(ALU)), st.sampled_from(SUMMING), commands, seeds)
def test_tensor_scalar_cumulative(
    data: st.DataObject, at: Layout, op0: Alu, op1: Alu, command: ReduceCommand, seed: int
) -> None:
    """Bit for bit: the order of additions is the order of elements."""
    command = data.draw(st.sampled_from([command, LOAD]))
    narrow_types = st.sampled_from(NARROW)
    before: dict[str, Any] = {"dst": at.full("float32", True), "src": at.full("bfloat16"), "imm0": 1.0}
    operands: dict[str, Any] = {
        "dst": at.full(data.draw(narrow_types), True),
        "src": at.full(data.draw(narrow_types)),
        "imm0": scalar(data, at, op0),
    }
    if command is LOAD:
        operands["imm1"] = scalar(data, at)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        registers = np.full(128, np.nan, np.float32)
        first = _cumulative(registers, RESET, op1, before["src"], apply(Alu.MULTIPLY, widen(tiles["0.src"]), 1.0))
        t = apply(op0, widen(tiles["src"]), value(tiles, operands, "imm0"))
        initial = value(tiles, operands, "imm1") if command is LOAD else None
        result = _cumulative(registers, command, op1, operands["src"], t, initial)
        return {"0.dst": first, "dst": narrow(result, operands["dst"].element_type)}

    prelude = ("tensor_scalar_cumulative", before, {"op0": Alu.MULTIPLY, "op1": op1, "reduce_cmd": RESET})
    chip = "trn3" if op0 in (Alu.ABS_MAX, Alu.ABS_MIN) else "trn1"
    fields = {"op0": op0, "op1": op1, "reduce_cmd": command}
    check("tensor_scalar_cumulative", VECTOR, operands, fields, seed, expected, chip, prelude=[prelude])


def _cumulative(
    registers: Array, command: ReduceCommand, op: Alu, lanes: Access, values: Array, initial: Any = None
) -> Array:
    held = registers[lanes.start : lanes.start + lanes.partitions]
    if command is not REDUCE:
        held[:] = START[op] if initial is None else np.broadcast_to(initial, (len(held), 1))[:, 0]
    results = np.empty_like(values)
    for column in range(values.shape[1]):
        held[:] = apply(op, values[:, column], held)
        results[:, column] = held
    return results


@quick
@given(st.data(), layouts(), st.sampled_from(BINARY), st.sampled_from(BINARY), seeds)
def test_tensor_tensor_scan(data: st.DataObject, at: Layout, op0: Alu, op1: Alu, seed: int) -> None:
    reverse0, reverse1 = data.draw(st.booleans()), data.draw(st.booleans())
    spaces = data.draw(st.sampled_from([(Space.SBUF, Space.SBUF), (Space.PSUM, Space.SBUF), (Space.SBUF, Space.PSUM)]))
    operands: dict[str, Any] = {
        "dst": at.full(data.draw(types), True),
        "data0": at.full(data.draw(types), space=spaces[0]),
        "data1": at.full(data.draw(types), space=spaces[1]),
        "initial": scalar(data, at),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        first, second = widen(tiles["data0"]), widen(tiles["data1"])
        state = np.broadcast_to(value(tiles, operands, "initial"), (len(first), 1))[:, 0]
        results = np.empty_like(first)
        for column in range(first.shape[1]):
            state = apply(op1, apply(op0, first[:, column], state, reverse0), second[:, column], reverse1)
            results[:, column] = state
        return {"dst": narrow(results, operands["dst"].element_type)}

    fields = {"op0": op0, "reverse0": reverse0, "op1": op1, "reverse1": reverse1}
    chip = "trn3" if {op0, op1} & {Alu.ABS_MAX, Alu.ABS_MIN} else "trn1"
    check("tensor_tensor_scan", VECTOR, operands, fields, seed, expected, chip)


# Selects.


@quick
@given(st.data(), layouts(), st.sampled_from([None, IDLE, RESET, REDUCE]), st.booleans(), seeds)
def test_select_reduce(
    data: st.DataObject, at: Layout, command: ReduceCommand | None, reverse: bool, seed: int
) -> None:
    before: dict[str, Any] = {
        "dst": at.full("bfloat16", True),
        "predicate": at.full("int8"),
        "on_true": at.full("bfloat16"),
        "on_false": -2.0,
    }
    constant = data.draw(st.booleans())
    operands: dict[str, Any] = {
        "dst": at.full(data.draw(types), True),
        "predicate": at.full(data.draw(st.sampled_from(["int8", "uint8", "int16", "uint16"]))),
        "on_true": at.full(
            data.draw(st.sampled_from(NARROW)), space=data.draw(st.sampled_from([Space.SBUF, Space.PSUM]))
        ),
        "on_false": 0.5 if constant else at.column(data.draw(types)),
        "reduce_res": at.column(data.draw(st.sampled_from(WRITTEN)), True),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        accumulator = Accumulator()
        first = np.where(tiles["0.predicate"] != 0, widen(tiles["0.on_true"]), np.float32(-2))
        accumulator.take(RESET, Alu.MAXIMUM, before["on_true"], first)
        chosen = (tiles["predicate"] != 0) != reverse
        r = np.where(chosen, widen(tiles["on_true"]), value(tiles, operands, "on_false"))
        total = accumulator.take(command or IDLE, Alu.MAXIMUM, operands["on_true"], r)
        return {
            "0.dst": narrow(first, before["dst"].element_type),
            "dst": narrow(r, operands["dst"].element_type),
            "reduce_res": narrow(total, operands["reduce_res"].element_type),
        }

    fields = {"reduce_cmd": command, "reverse_pred": reverse}
    prelude = ("select_reduce", before, {"reduce_cmd": RESET})
    check("select_reduce", VECTOR, operands, fields, seed, expected, prelude=[prelude])


RANGES = (Alu.EQUAL, Alu.LESS, Alu.LESS_EQUAL, Alu.GREATER, Alu.GREATER_EQUAL)


@quick
@given(st.data(), layouts(), st.sampled_from(RANGES), st.sampled_from(RANGES), st.booleans(), seeds)
def test_range_select(data: st.DataObject, at: Layout, op0: Alu, op1: Alu, reduces: bool, seed: int) -> None:
    start = data.draw(st.sampled_from([0, -16, 3, 2**24 - 100]))
    operands: dict[str, Any] = {
        "dst": at.full(data.draw(types), True),
        "on_true_tile": at.full(data.draw(st.sampled_from([*WRITTEN, "tfloat32", "float8_e5m2"]))),
        "bound0": at.column("float32"),
        "bound1": at.column("float32"),
        "reduce_res": at.column("float32", True),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        on_true = widen(tiles["on_true_tile"])
        x = np.broadcast_to(start + np.arange(on_true.shape[1]), on_true.shape)
        inside = (apply(op0, x, tiles["bound0"]) != 0) & (apply(op1, x, tiles["bound1"]) != 0)
        r = np.where(inside, on_true, FP32_MIN)
        total = Accumulator().take(RESET if reduces else IDLE, Alu.MAXIMUM, operands["on_true_tile"], r)
        return {"dst": narrow(r, operands["dst"].element_type), "reduce_res": total}

    fields = {"comp_op0": op0, "comp_op1": op1, "range_start": start, "reduce_cmd": RESET if reduces else IDLE}
    check("range_select", VECTOR, operands, fields, seed, expected, "trn2")


@quick
@given(st.data(), layouts(), st.sampled_from([IDLE, RESET, REDUCE, LOAD]), seeds)
def test_exponential(data: st.DataObject, at: Layout, command: ReduceCommand, seed: int) -> None:
    before: dict[str, Any] = {"dst": at.full("float32", True), "src": at.full("int8")}
    operands: dict[str, Any] = {
        "dst": at.full(data.draw(st.sampled_from(WRITTEN)), True),
        "src": at.full(data.draw(st.sampled_from(["int8", "float8_e4m3", "uint8"]))),
        "max_value": 64.0 if data.draw(st.booleans()) else at.column("float32"),
        "reduce_res": at.column("float32", True),
    }
    if command is LOAD:
        operands["reduce_init"] = scalar(data, at)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        accumulator = Accumulator()
        first = np.exp(widen(tiles["0.src"]))
        accumulator.take(RESET, Alu.ADD, before["src"], first)
        y = np.exp(widen(tiles["src"]) - value(tiles, operands, "max_value"))
        initial = value(tiles, operands, "reduce_init") if command is LOAD else None
        total = accumulator.take(command, Alu.ADD, operands["src"], y, initial)
        return {"0.dst": first, "dst": narrow(y, operands["dst"].element_type), "reduce_res": total}

    prelude = ("exponential", before, {"reduce_cmd": RESET})
    fields = {"reduce_cmd": command}
    check("exponential", VECTOR, operands, fields, seed, expected, "trn3", False, 1e-5, prelude=[prelude])


# Statistics.


@quick
@given(layouts(), st.sampled_from(["float32", "bfloat16", "int8"]), seeds)
def test_bn_stats(at: Layout, kind: str, seed: int) -> None:
    operands = {"dst": at.place("float32", (6,), at.partitions, True), "data": at.full(kind)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        rows = tiles["data"].astype(np.float64)
        return {"dst": np.array([[*_moments(r[::2]), *_moments(r[1::2])] for r in rows], np.float32)}

    check("bn_stats", VECTOR, operands, {}, seed, expected, specials=False, close=2e-3)


def _moments(values: Array) -> tuple[float, float, float]:
    return (len(values), values.mean(), values.var() * len(values)) if len(values) else (0.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "float8_e5m2", "uint16"])
@pytest.mark.parametrize("sizes", [(1, 1), (3, 8), (2, 5, 7)])
def test_bn_aggr_joins_what_bn_stats_gives(kind: str, sizes: tuple[int, ...]) -> None:
    """Mean and variance of all elements, from the statistics of pieces of any length; empty halves count nothing."""
    type_, f32 = by_name(kind).type, by_name("float32").type
    stats = Access(Space.SBUF, f32, ((3, 2 * len(sizes)), (1, 3)), 0, 128, Expr(SLOT))
    result = Access(Space.SBUF, f32, ((1, 2),), 0, 128, Expr(2 * SLOT))
    prelude: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for k, size in enumerate(sizes):
        piece = Access(Space.SBUF, type_, ((1, size),), 0, 128, Expr(sum(sizes[:k]) * by_name(kind).bytes))
        part = Access(Space.SBUF, f32, ((1, 6),), 0, 128, Expr(SLOT + 24 * k))
        prelude.append(("bn_stats", {"dst": part, "data": piece}, {}))

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        pieces = [tiles[f"{k}.data"].astype(np.float64) for k in range(len(sizes))]
        moments = [[m for half in (0, 1) for m in _moments(row[half::2])] for piece in pieces for row in piece]
        parts = np.array(moments, np.float32).reshape(len(sizes), 128, 6)
        whole = np.concatenate(pieces, axis=1)
        found = np.stack([whole.mean(1), whole.var(1)], axis=-1).astype(np.float32)
        return {"dst": found} | {f"{k}.dst": part for k, part in enumerate(parts)}

    operands = {"dst": result, "data": stats}
    check("bn_aggr", VECTOR, operands, {}, 7, expected, specials=False, close=2e-3, prelude=prelude)
