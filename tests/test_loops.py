"""Loops with any constant bounds and step mean the same at whichever level a module enters: machine code against NumPy."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nki_mlir import CompileError, execute, parse
from nki_mlir.passes.levels import remaining_pipeline
from nki_mlir.passes.pipelines import build, pipeline, run, set_target

Array = NDArray[Any]

COLUMNS = 8
"""Elements of the blocks that kernels read and write."""
PAD = 7
"""What is added to a counter so that a block's number is not negative."""
ELEMENTS = 512

TILE = f"!neuron.mem.tile<sbuf, {COLUMNS}xf32, [d0] x []>"
VIEW = f"!neuron.engine.view<sbuf[0:{COLUMNS}], [1 x 1], f32>"
HBM = f"!neuron.engine.view<hbm, [1 x {COLUMNS}], f32>"
TENSOR = f"tensor<{COLUMNS}xf32>"
MEMORY = f"memref<{ELEMENTS}xf32>"


@dataclass(frozen=True)
class Level:
    """How a level reads a block at an offset, doubles it, adds another, and writes it."""

    type: str
    read: str
    double: str
    add: str
    write: str


LEVELS = {
    "tile": Level(
        TENSOR,
        f"{{to}} = tile.read {{memory}}({{at}}) [s0 + d0 by 1] : {MEMORY} -> {TENSOR}",
        f"{{to}} = arith.addf {{a}}, {{a}} : {TENSOR}",
        f"{{to}} = arith.addf {{a}}, {{b}} : {TENSOR}",
        f"tile.write {{a}} to {{memory}}({{at}}) [s0 + d0 by 1] : {TENSOR} -> {MEMORY}",
    ),
    "neuron.mem": Level(
        TILE,
        f"{{to}} = neuron.mem.load {{memory}}({{at}}) [s0 + d0 by 1] : {MEMORY} -> {TILE}",
        f"{{to}} = neuron.mem.binary add {{a}}, {{a}} : {TILE}, {TILE} -> {TILE}",
        f"{{to}} = neuron.mem.binary add {{a}}, {{b}} : {TILE}, {TILE} -> {TILE}",
        f"neuron.mem.store {{a}} to {{memory}}({{at}}) [s0 + d0 by 1] : {TILE} -> {MEMORY}",
    ),
    "neuron.engine": Level(
        VIEW,
        "{to}_b = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 8 x 4>\n"
        f"{{to}} = neuron.engine.view {{to}}_b : !neuron.engine.buffer<sbuf, 8 x 4> -> {VIEW}\n"
        f"{{to}}_h = neuron.engine.view {{memory}} at {{at}} : {MEMORY} -> {HBM}\n"
        f"neuron.engine.dma_copy sync queue 0 dst {{to}} : {VIEW} src {{to}}_h : {HBM}",
        "{to}_b = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 8 x 4>\n"
        f"{{to}} = neuron.engine.view {{to}}_b : !neuron.engine.buffer<sbuf, 8 x 4> -> {VIEW}\n"
        f"neuron.engine.tensor_tensor vector op add dst {{to}} : {VIEW} data1 {{a}} : {VIEW} data2 {{a}} : {VIEW}",
        f"neuron.engine.tensor_tensor vector op add dst {{a}} : {VIEW} data1 {{a}} : {VIEW} data2 {{b}} : {VIEW}",
        f"{{a}}_out = neuron.engine.view {{memory}} at {{at}} : {MEMORY} -> {HBM}\n"
        f"neuron.engine.dma_copy gpsimd queue 0 dst {{a}}_out : {HBM} src {{a}} : {VIEW}",
    ),
}


def kernel(body: str, constants: set[int]) -> str:
    """A kernel of an input `%x` and an output `%y`; `%n_K` is the constant K (`%n_m2` is -2)."""
    made = "\n".join(f"{number(c)} = arith.constant {c} : index" for c in sorted(constants))
    return f"""
      func.func @f(%x: {MEMORY}, %y: {MEMORY}) attributes {{tile.arg_names = ["x", "y"]}} {{
        {made}
        {body}
        func.return
      }}
    """


def number(value: int) -> str:
    return f"%n_{value}" if value >= 0 else f"%n_m{-value}"


def lowered(text: str) -> Any:
    """The machine code of a module of any level: what is left of its lowering."""
    module = parse(text)
    set_target(module, "trn1")
    run(build(remaining_pipeline(module)), module)
    return module


def executed(text: str) -> tuple[Array, Array]:
    """The input, and what the kernel leaves in an output of -1."""
    x = np.random.default_rng(3).standard_normal(ELEMENTS).astype(np.float32)
    y = np.full(ELEMENTS, -1, np.float32)
    execute(lowered(text), [x, y])
    return x, y


BOUNDS = [(0, 4, 2), (1, 5, 1), (1, 6, 2), (-3, 3, 2), (-2, 0, 1), (-5, -1, 3), (2, 3, 5), (0, 5, 1)]
EMPTY = [(0, 0, 1), (3, 1, 1), (2, -2, 4), (-1, -1, 7)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("bounds", [*BOUNDS, *EMPTY], ids=str)
def test_counters(level: str, bounds: tuple[int, int, int]) -> None:
    """Block `i + PAD` of the output is twice that of the input, for every `i` of the loop and no other."""
    low, high, step = bounds
    it = LEVELS[level]
    body = f"""
      scf.for %i = {number(low)} to {number(high)} step {number(step)} {{
        %p = arith.addi %i, {number(PAD)} : index
        %at = arith.muli %p, {number(COLUMNS)} : index
        {it.read.format(to="%v", memory="%x", at="%at")}
        {it.double.format(to="%w", a="%v")}
        {it.write.format(a="%w", memory="%y", at="%at")}
      }}
    """
    x, y = executed(kernel(body, {low, high, step, PAD, COLUMNS}))
    expected = np.full_like(y, -1)
    for i in range(low, high, step):
        block = slice((i + PAD) * COLUMNS, (i + PAD + 1) * COLUMNS)
        expected[block] = 2 * x[block]
    np.testing.assert_array_equal(y, expected)


NESTS = [((0, 4, 2), (1, 4, 2)), ((-1, 2, 1), (-2, 1, 2)), ((1, 2, 3), (0, 3, 2)), ((0, 3, 2), (2, 3, 1))]
EMPTY_NESTS = [((0, 0, 1), (0, 3, 1)), ((0, 3, 1), (2, 2, 1)), ((5, 3, 2), (4, 1, 1))]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("nest", [*NESTS, *EMPTY_NESTS], ids=str)
def test_loops_in_loops(level: str, nest: tuple[tuple[int, int, int], tuple[int, int, int]]) -> None:
    (low, high, step), (first, last, stride) = nest
    it = LEVELS[level]
    body = f"""
      scf.for %i = {number(low)} to {number(high)} step {number(step)} {{
        scf.for %j = {number(first)} to {number(last)} step {number(stride)} {{
          %row = arith.muli %i, {number(7)} : index
          %sum = arith.addi %row, %j : index
          %p = arith.addi %sum, {number(10)} : index
          %at = arith.muli %p, {number(COLUMNS)} : index
          {it.read.format(to="%v", memory="%x", at="%at")}
          {it.double.format(to="%w", a="%v")}
          {it.write.format(a="%w", memory="%y", at="%at")}
        }}
      }}
    """
    x, y = executed(kernel(body, {low, high, step, first, last, stride, 7, 10, COLUMNS}))
    expected = np.full_like(y, -1)
    for i, j in itertools.product(range(low, high, step), range(first, last, stride)):
        block = slice((7 * i + j + 10) * COLUMNS, (7 * i + j + 11) * COLUMNS)
        expected[block] = 2 * x[block]
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("level", ["tile", "neuron.mem"])
@pytest.mark.parametrize("bounds", [*BOUNDS, *EMPTY], ids=str)
def test_carried_values(level: str, bounds: tuple[int, int, int]) -> None:
    """A sum over blocks of the input, which starts as block 0."""
    low, high, step = bounds
    it = LEVELS[level]
    body = f"""
      {it.read.format(to="%start", memory="%x", at=number(0))}
      %r = scf.for %i = {number(low)} to {number(high)} step {number(step)} iter_args(%s = %start) -> ({it.type}) {{
        %p = arith.addi %i, {number(PAD)} : index
        %at = arith.muli %p, {number(COLUMNS)} : index
        {it.read.format(to="%v", memory="%x", at="%at")}
        {it.add.format(to="%w", a="%s", b="%v")}
        scf.yield %w : {it.type}
      }}
      {it.write.format(a="%r", memory="%y", at=number(0))}
    """
    x, y = executed(kernel(body, {0, low, high, step, PAD, COLUMNS}))
    blocks = x.reshape(-1, COLUMNS)
    expected = blocks[0].copy()
    for i in range(low, high, step):
        expected += blocks[i + PAD]
    np.testing.assert_allclose(y[:COLUMNS], expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(y[COLUMNS:], -1)


@pytest.mark.parametrize("bounds", [*BOUNDS, *EMPTY], ids=str)
@pytest.mark.parametrize("entry", ["", "promote-accumulators,lower-converts"])
def test_sums_of_products(entry: str, bounds: tuple[int, int, int]) -> None:
    """`acc += a_i @ b_i`, which stays in PSUM: it overwrites in the first iteration, whatever its counter is, and is
    zero where there is none."""
    low, high, step = bounds
    a = "!neuron.mem.tile<sbuf, 8x4xf32, [d1] x [d0]>"
    b = "!neuron.mem.tile<sbuf, 4x8xf32, [d0] x [d1]>"
    c, p = (f"!neuron.mem.tile<{space}, 8x8xf32, [d0] x [d1]>" for space in ("sbuf", "psum"))
    body = f"""
      %zero = arith.constant 0.0 : f32
      %start = neuron.mem.fill %zero : f32 -> {c}
      %r = scf.for %i = {number(low)} to {number(high)} step {number(step)} iter_args(%s = %start) -> ({c}) {{
        %q = arith.addi %i, {number(PAD)} : index
        %at = arith.muli %q, {number(32)} : index
        %a = neuron.mem.load %x(%at) [d0 by 4, s0 + d1 by 1] : {MEMORY} -> {a}
        %b = neuron.mem.load %x(%at) [d0 by 8, s0 + d1 by 1] : {MEMORY} -> {b}
        %z = neuron.mem.accumulator : {p}
        %m = neuron.mem.matmul %a, %b acc %z : {a}, {b}, {p} -> {p}
        %d = neuron.mem.convert %m by copy : {p} -> {c}
        %w = neuron.mem.binary add %s, %d : {c}, {c} -> {c}
        scf.yield %w : {c}
      }}
      neuron.mem.store %r to %y({number(0)}) [8 * d0 + s0 + d1 by 1] : {c} -> {MEMORY}
    """
    text = kernel(body, {0, low, high, step, PAD, 32})
    module = pipeline(entry, target="trn1")(parse(text)) if entry else parse(text)
    x, y = executed(str(module))
    expected = np.zeros((8, 8), np.float32)
    for i in range(low, high, step):
        block = x[(i + PAD) * 32 : (i + PAD + 1) * 32]
        expected += block.reshape(8, 4) @ block.reshape(4, 8)
    np.testing.assert_allclose(y[:64].reshape(8, 8), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bounds", [(0, 12, 3), (2, 12, 4), (-4, 8, 5), (1, 2, 1), (9, 3, 1)], ids=str)
def test_ragged_ends(bounds: tuple[int, int, int]) -> None:
    """A mask that bounds what the iterations store: block `i` starts at `8 * (i + PAD)`, and 90 elements are valid."""
    low, high, step = bounds
    valid = 90
    body = f"""
      scf.for %i = {number(low)} to {number(high)} step {number(step)} {{
        %p = arith.addi %i, {number(PAD)} : index
        %v = neuron.mem.load %x(%p) [{COLUMNS} * s0 + d0 in 0 to {valid} by 1] : {MEMORY} -> {TILE}
        %w = neuron.mem.binary add %v, %v : {TILE}, {TILE} -> {TILE}
        neuron.mem.store %w to %y(%p) [{COLUMNS} * s0 + d0 in 0 to {valid} by 1] : {TILE} -> {MEMORY}
      }}
    """
    x, y = executed(kernel(body, {low, high, step, PAD}))
    expected = np.full_like(y, -1)
    for i in range(low, high, step):
        block = slice((i + PAD) * COLUMNS, min((i + PAD + 1) * COLUMNS, valid))
        expected[block] = 2 * x[block]
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (("%n", "%n_4", "%n_1"), "depends on an argument that is no memory; a scalar is a constant, or comes from"),
        (("%n_0", "%n", "%n_1"), "depends on an argument that is no memory; a scalar is a constant, or comes from"),
        (("%n_0", "%n_4", "%n"), "a loop's step is a constant of at least 1; this loop's is known at run time only"),
        (("%n_0", "%n_4", "%n_0"), "a loop's step is a constant of at least 1; this loop's is 0"),
        (("%n_4", "%n_0", "%n_m1"), "a loop's step is a constant of at least 1; this loop's is -1"),
    ],
)
def test_bounds_that_are_nowhere(level: str, bounds: tuple[str, str, str], message: str) -> None:
    it = LEVELS[level]
    body = f"""
      scf.for %i = {bounds[0]} to {bounds[1]} step {bounds[2]} {{
        {it.read.format(to="%v", memory="%x", at="%i")}
        {it.write.format(a="%v", memory="%y", at="%i")}
      }}
    """
    text = kernel(body, {0, 1, 4, -1}).replace("%y:", "%n: index, %y:").replace('"x", ', '"x", "n", ')
    with pytest.raises(CompileError, match=message) as caught:
        lowered(text)
    assert caught.value.line is not None and "scf.for" in text.splitlines()[caught.value.line - 1]


@pytest.mark.parametrize("level", ["tile", "neuron.mem"])
@pytest.mark.parametrize("trips", [1, 2, 3])
def test_carried_values_that_change_places(level: str, trips: int) -> None:
    """`p, q = q, p`, and `p, q, r = q, r, p + q`: what is written back is read before anything is overwritten."""
    it = LEVELS[level]
    types = ", ".join([it.type] * 5)
    reads = "\n".join(it.read.format(to=f"%s{k}", memory="%x", at=number(k * COLUMNS)) for k in range(5))
    body = f"""
      {reads}
      %r:5 = scf.for %i = {number(0)} to {number(trips)} step {number(1)}
          iter_args(%p = %s0, %q = %s1, %a = %s2, %b = %s3, %c = %s4) -> ({types}) {{
        {it.add.format(to="%sum", a="%a", b="%b")}
        scf.yield %q, %p, %b, %c, %sum : {types}
      }}
      {"".join(it.write.format(a=f"%r#{k}", memory="%y", at=number(k * COLUMNS)) + chr(10) for k in range(5))}
    """
    x, y = executed(kernel(body, {0, 1, trips, *(k * COLUMNS for k in range(5))}))
    p, q, a, b, c = x.reshape(-1, COLUMNS)[:5]
    for _ in range(trips):
        p, q, a, b, c = q, p, b, c, a + b
    np.testing.assert_allclose(y.reshape(-1, COLUMNS)[:5], [p, q, a, b, c], rtol=1e-6)


@pytest.mark.parametrize("bounds", [(0, 2, 1), (0, 3, 1), (3, 9, 2), (-2, 3, 2), (-4, 4, 7)], ids=str)
@pytest.mark.parametrize("nested", [False, True])
def test_a_loop_that_writes_a_part_of_a_sum(bounds: tuple[int, int, int], nested: bool) -> None:
    """The loop adds products to the first half of an accumulator; the second half, written after it, is overwritten
    and not added to."""
    low, high, step = bounds
    width = 512
    a = "!neuron.mem.tile<sbuf, 8x4xf32, [d1] x [d0]>"
    b = f"!neuron.mem.tile<sbuf, 4x{2 * width}xf32, [d0] x [d1]>"
    c, p = (f"!neuron.mem.tile<{space}, 8x{2 * width}xf32, [d0] x [d1]>" for space in ("sbuf", "psum"))
    x_type, b_type, y_type = "memref<32xf32>", f"memref<{8 * width}xf32>", f"memref<{16 * width}xf32>"
    inner = f"""
      %q = neuron.mem.matmul %a, %b acc %ACC part [0, 0, 0] : {a}, {b}, {p} -> {p}
      scf.yield %q : {p}
    """
    loop = f"scf.for %i = {number(low)} to {number(high)} step {number(step)} iter_args(%s = %z) -> ({p}) {{"
    if nested:
        inner = f"""
          %t = scf.for %j = {number(0)} to {number(2)} step {number(1)} iter_args(%u = %s) -> ({p}) {{
            {inner.replace("%ACC", "%u")}
          }}
          scf.yield %t : {p}
        """
    text = f"""
      func.func @f(%x: {x_type}, %w: {b_type}, %y: {y_type}) {{
        {"".join(f"{number(k)} = arith.constant {k} : index" + chr(10) for k in sorted({0, 1, 2, *bounds}))}
        %a = neuron.mem.load %x({number(0)}) [4 * d0 + s0 + d1 by 1] : {x_type} -> {a}
        %b = neuron.mem.load %w({number(0)}) [{2 * width} * d0 + s0 + d1 by 1] : {b_type} -> {b}
        %z = neuron.mem.accumulator : {p}
        %first = {loop}
          {inner.replace("%ACC", "%s")}
        }}
        %both = neuron.mem.matmul %a, %b acc %first part [0, 1, 0] : {a}, {b}, {p} -> {p}
        %m = neuron.mem.convert %both by copy : {p} -> {c}
        neuron.mem.store %m to %y({number(0)}) [{2 * width} * d0 + s0 + d1 by 1] : {c} -> {y_type}
        func.return
      }}
    """
    rng = np.random.default_rng(5)
    x, w = (rng.standard_normal(size).astype(np.float32) for size in (32, 8 * width))
    y = np.zeros(16 * width, np.float32)
    execute(lowered(text), [x, w, y])
    product = x.reshape(8, 4) @ w.reshape(4, 2 * width)
    product[:, :width] *= len(range(*bounds)) * (2 if nested else 1)
    np.testing.assert_allclose(y.reshape(8, 2 * width), product, rtol=1e-5, atol=1e-4)


LIMITED = f"%v = neuron.mem.load %x(%at) [s0 + d0 in 0 to 90 by 1] : {MEMORY} -> {TILE}"
"""Loads block `%at`, of which the elements in front of 90 are valid; the rest is zero."""


def blocks_in_front(x: Array, limit: int) -> Array:
    """The blocks of the input with zeros from element `limit` on."""
    return np.where(np.arange(ELEMENTS) < limit, x, 0).reshape(-1, COLUMNS)


def test_ragged_sums() -> None:
    """A loop that carries a sum of blocks of which the last is short."""
    body = f"""
      %start = neuron.mem.load %x({number(0)}) [s0 + d0 by 1] : {MEMORY} -> {TILE}
      %r = scf.for %i = {number(1)} to {number(16)} step {number(2)} iter_args(%s = %start) -> ({TILE}) {{
        %at = arith.muli %i, {number(COLUMNS)} : index
        {LIMITED}
        %w = neuron.mem.binary add %s, %v : {TILE}, {TILE} -> {TILE}
        scf.yield %w : {TILE}
      }}
      neuron.mem.store %r to %y({number(0)}) [s0 + d0 by 1] : {TILE} -> {MEMORY}
    """
    x, y = executed(kernel(body, {0, 1, 2, 16, COLUMNS, 90}))
    blocks = blocks_in_front(x, 90)
    np.testing.assert_allclose(y[:COLUMNS], blocks[0] + blocks[1:16:2].sum(axis=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scale", [1, 3])
def test_nested_ragged_ends(scale: int) -> None:
    """An extent that two counters share."""
    body = f"""
      scf.for %i = {number(0)} to {number(8)} step {number(2)} {{
        scf.for %j = {number(1)} to {number(7)} step {number(3)} {{
          %scaled = arith.muli %i, {number(scale)} : index
          %p = arith.addi %scaled, %j : index
          %at = arith.muli %p, {number(COLUMNS)} : index
          {LIMITED}
          neuron.mem.store %v to %y(%at) [s0 + d0 by 1] : {TILE} -> {MEMORY}
        }}
      }}
    """
    x, y = executed(kernel(body, {0, 1, 2, 3, 7, 8, scale, COLUMNS, 90}))
    expected, blocks = np.full_like(y, -1).reshape(-1, COLUMNS), blocks_in_front(x, 90)
    for i, j in itertools.product(range(0, 8, 2), range(1, 7, 3)):
        expected[scale * i + j] = blocks[scale * i + j]
    np.testing.assert_array_equal(y.reshape(-1, COLUMNS), expected)


def _sum(start: str, result: str) -> str:
    """Blocks 1 and 2 of the input added to a start."""
    it = LEVELS["neuron.mem"]
    return f"""
      {result} = scf.for %i = {number(1)} to {number(3)} step {number(1)} iter_args(%s = {start}) -> ({TILE}) {{
        %at = arith.muli %i, {number(COLUMNS)} : index
        {it.read.format(to="%v", memory="%x", at="%at")}
        {it.add.format(to="%w", a="%s", b="%v")}
        scf.yield %w : {TILE}
      }}
    """


def test_a_start_that_is_used_again() -> None:
    """The loop has its own copy of a value that something else reads after it."""
    it = LEVELS["neuron.mem"]
    body = f"""
      {it.read.format(to="%start", memory="%x", at=number(0))}
      {_sum("%start", "%r")}
      {it.write.format(a="%r", memory="%y", at=number(0))}
      {it.write.format(a="%start", memory="%y", at=number(COLUMNS))}
    """
    x, y = executed(kernel(body, {0, 1, 3, COLUMNS}))
    blocks = x.reshape(-1, COLUMNS)
    np.testing.assert_allclose(y[:COLUMNS], blocks[:3].sum(axis=0), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(y[COLUMNS : 2 * COLUMNS], blocks[0])


def test_a_start_from_outside() -> None:
    """A loop that runs again starts again from a value that was made once."""
    it = LEVELS["neuron.mem"]
    body = f"""
      {it.read.format(to="%start", memory="%x", at=number(0))}
      scf.for %n = {number(0)} to {number(3)} step {number(1)} {{
        {_sum("%start", "%r")}
        %to = arith.muli %n, {number(COLUMNS)} : index
        {it.write.format(a="%r", memory="%y", at="%to")}
      }}
    """
    x, y = executed(kernel(body, {0, 1, 3, COLUMNS}))
    expected = x.reshape(-1, COLUMNS)[:3].sum(axis=0)
    np.testing.assert_allclose(y.reshape(-1, COLUMNS)[:3], [expected] * 3, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bounds", [(0, 0, 1), (3, 1, 1), (2, 5, 4), (-1, 4, 2)], ids=str)
def test_a_sum_in_psum(bounds: tuple[int, int, int]) -> None:
    """Of as many products as the loop has iterations: zero where it has none."""
    a = "!neuron.mem.tile<sbuf, 8x4xf32, [d1] x [d0]>"
    b = "!neuron.mem.tile<sbuf, 4x8xf32, [d0] x [d1]>"
    c, p = (f"!neuron.mem.tile<{space}, 8x8xf32, [d0] x [d1]>" for space in ("sbuf", "psum"))
    low, high, step = bounds
    body = f"""
      %a = neuron.mem.load %x({number(0)}) [4 * d0 + s0 + d1 by 1] : {MEMORY} -> {a}
      %b = neuron.mem.load %x({number(32)}) [8 * d0 + s0 + d1 by 1] : {MEMORY} -> {b}
      %z = neuron.mem.accumulator : {p}
      %r = scf.for %i = {number(low)} to {number(high)} step {number(step)} iter_args(%s = %z) -> ({p}) {{
        %m = neuron.mem.matmul %a, %b acc %s : {a}, {b}, {p} -> {p}
        scf.yield %m : {p}
      }}
      %d = neuron.mem.convert %r by copy : {p} -> {c}
      neuron.mem.store %d to %y({number(0)}) [8 * d0 + s0 + d1 by 1] : {c} -> {MEMORY}
    """
    x, y = executed(kernel(body, {0, low, high, step, 32}))
    product = x[:32].reshape(8, 4) @ x[32:64].reshape(4, 8)
    np.testing.assert_allclose(y[:64].reshape(8, 8), len(range(*bounds)) * product, rtol=1e-5, atol=1e-5)
