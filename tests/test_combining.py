"""Instructions that become one, or go to another engine: random chains of operations with and without that, against
NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from nki_mlir import execute, parse, pipeline
from nki_mlir.passes.pipelines import NAMED

Array = np.ndarray[Any, np.dtype[Any]]

ROWS, COLUMNS, TILES = 64, 32, 5
SIZE = f"{ROWS}x{COLUMNS}"
MEMORY = f"memref<{TILES * ROWS}x{COLUMNS}xf32>"
COLUMN_MEMORY = f"memref<{TILES * ROWS}xf32>"
COLUMN = f"!neuron.mem.tile<sbuf, {ROWS}x1xf32, [d0] x [d1]>"

NUMBERS = st.sampled_from([-2.0, -1.0, -0.5, 0.25, 1.5, 3.0])
STEP = st.one_of(
    st.tuples(st.sampled_from(["add", "subtract", "multiply", "maximum"]), NUMBERS, st.booleans()),
    st.tuples(st.sampled_from(["add", "subtract", "multiply"]), st.sampled_from(["column", "tile"]), st.booleans()),
    st.tuples(st.just("function"), st.sampled_from(["tanh", "square", "sigmoid"]), st.just(False)),
    st.tuples(st.just("cast"), st.just("bf16"), st.just(False)),
)
OPERATORS = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "maximum": np.maximum}
FUNCTIONS = {"tanh": np.tanh, "square": np.square, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


def tile(element: str = "f32") -> str:
    return f"!neuron.mem.tile<sbuf, {SIZE}x{element}, [d0] x [d1]>"


def chain(steps: list[tuple[str, Any, bool]], tiles: int = TILES) -> str:
    """`%x` and `%c` (a column) in, the last result and its row sums out, for so many tiles. A cast goes to bf16 and
    back."""
    lines = [
        "%c0 = arith.constant 0 : index",
        "%c1 = arith.constant 1 : index",
        f"%trips = arith.constant {tiles} : index",
        "scf.for %i = %c0 to %trips step %c1 {",
        f"%x = neuron.mem.load %a(%i) [{ROWS} * s0 + d0 by {COLUMNS}, d1 by 1] : {MEMORY} -> {tile()}",
        f"%k = neuron.mem.load %b(%i) [{ROWS} * s0 + d0 by 1] : {COLUMN_MEMORY} -> {COLUMN}",
        f"%c = neuron.mem.broadcast %k : {COLUMN} -> {tile()}",
    ]
    now = "x"
    for number, (kind, with_, reverse) in enumerate(steps):
        new, t = f"v{number}", tile()
        if kind == "function":
            lines.append(f"%{new} = neuron.mem.unary {with_} %{now} : {t} -> {t}")
        elif kind == "cast":
            lines.append(f"%n{number} = neuron.mem.cast %{now} : {t} -> {tile('bf16')}")
            lines.append(f"%{new} = neuron.mem.cast %n{number} : {tile('bf16')} -> {t}")
        else:
            if isinstance(with_, float):
                lines.append(f"%f{number} = arith.constant {with_} : f32")
                other, type_ = f"%f{number}", "f32"
            else:
                other, type_ = ("%c", t) if with_ == "column" else ("%x", t)
            sides = [(f"%{now}", t), (other, type_)]
            (left, left_type), (right, right_type) = sides[::-1] if reverse else sides
            lines.append(f"%{new} = neuron.mem.binary {kind} {left}, {right} : {left_type}, {right_type} -> {t}")
        now = new
    column = f"!neuron.mem.tile<sbuf, {ROWS}xf32, [d0] x []>"
    lines += [
        f"%s = neuron.mem.reduce sum %{now} axis 1 : {tile()} -> {column}",
        f"neuron.mem.store %{now} to %out(%i) [{ROWS} * s0 + d0 by {COLUMNS}, d1 by 1] : {tile()} -> {MEMORY}",
        f"neuron.mem.store %s to %sums(%i) [{ROWS} * s0 + d0 by 1] : {column} -> {COLUMN_MEMORY}",
        "}",
    ]
    body = "\n".join(lines)
    arguments = f"%a: {MEMORY}, %b: {COLUMN_MEMORY}, %out: {MEMORY}, %sums: {COLUMN_MEMORY}"
    return f"func.func @f({arguments}) {{\n{body}\nfunc.return\n}}"


def reference(steps: list[tuple[str, Any, bool]], x: Array, column: Array) -> Array:
    """In double precision, but for the roundings that casts ask for, which may fall away."""
    wide, now = x.astype(np.float64), x.astype(np.float64)
    for kind, with_, reverse in steps:
        if kind == "function":
            now = FUNCTIONS[with_](now)
        elif kind != "cast":
            other = with_ if isinstance(with_, float) else column[:, None] if with_ == "column" else wide
            now = OPERATORS[kind](other, now) if reverse else OPERATORS[kind](now, other)
    return now


def lowered(text: str, combine: bool) -> ModuleOp:
    spec = NAMED["mem-to-engine"]
    for name in ("combine-instructions,", "assign-engines,"):
        assert name in spec
        spec = spec if combine else spec.replace(name, "")
    return pipeline(f"{spec},engine-to-isa")(parse(text))


def run(module: ModuleOp, x: Array, column: Array) -> tuple[Array, Array]:
    out, sums = np.zeros_like(x), np.zeros_like(column)
    execute(module, [x, column, out, sums])
    return out, sums


@settings(max_examples=25)
@given(steps=st.lists(STEP, min_size=2, max_size=6), seed=st.integers(0, 2**16))
def test_chains(steps: list[tuple[str, Any, bool]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, column = (rng.uniform(-1, 1, shape).astype(np.float32) for shape in ((TILES * ROWS, COLUMNS), (TILES * ROWS,)))
    wanted = reference(steps, x, column)
    rounded = any(kind == "cast" for kind, _, _ in steps)
    scale = max(1.0, float(np.abs(wanted).max()))
    tolerance = scale * (0.15 if rounded else 2e-5)
    results = [run(lowered(chain(steps), combine), x, column) for combine in (True, False)]
    for out, sums in results:
        np.testing.assert_allclose(out, wanted, rtol=0, atol=tolerance)
        np.testing.assert_allclose(sums, out.sum(1, dtype=np.float64), rtol=0, atol=tolerance * COLUMNS)
    if not rounded:
        np.testing.assert_allclose(results[0][0], results[1][0], rtol=0, atol=tolerance)


def instructions(text: str, combine: bool) -> list[str]:
    return [op.name.rsplit(".", 1)[1] for op in lowered(text, combine).walk() if hasattr(op, "instruction")]


@pytest.mark.parametrize(
    ("steps", "made"),
    [
        ([("subtract", "column", False), ("function", "tanh", False)], {"activation_reduce": 1, "tensor_scalar": 1}),
        ([("multiply", 3.0, False), ("add", 1.5, False), ("function", "tanh", False)], {"activation_reduce": 1}),
        ([("multiply", 3.0, False), ("add", "column", False)], {"tensor_scalar": 1, "tensor_reduce": 1}),
        ([("multiply", 3.0, False), ("add", "tile", False)], {"scalar_tensor_tensor": 1, "tensor_reduce": 1}),
    ],
)
def test_what_is_left(steps: list[tuple[str, Any, bool]], made: dict[str, int]) -> None:
    left = instructions(chain(steps, tiles=1), combine=True)
    counts = {name: left.count(name) for name in ("activation", "activation_reduce", "tensor_scalar", "tensor_tensor")}
    counts |= {name: left.count(name) for name in ("scalar_tensor_tensor", "tensor_reduce", "tensor_copy")}
    assert {name: count for name, count in counts.items() if count} == made
    assert len(left) < len(instructions(chain(steps, tiles=1), combine=False))
