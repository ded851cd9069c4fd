"""Converts, way by way: every bit arrives, whatever it stands for, from random layouts to random others."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_layouts_in_kernels import MOVED, Array, Shape, digits, run_text, strides, tile_text

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import parse, pipeline
from nki_mlir.costs import movement
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.coordinates import strided
from nki_mlir.dialects.dtypes import f32, u8
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.layout import Factor, Layout, replica
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.dialects.neuron_mem import ConvertOp
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.turns import Digit, Turn
from nki_mlir.dialects.ways import Way, why_not
from nki_mlir.passes.region_costs import of_operation
from nki_mlir.targets import load

few = settings(max_examples=5)
shapes = st.sampled_from([(131,), (33, 40), (128, 5), (5, 131), (17, 130), (3, 33, 20), (4, 6, 5, 3)])
Pair = tuple[Layout, Layout]


def arranged(shape: Shape, kind: str, seed: int, way: Way, target: str) -> Pair:
    """A layout and one that it can be taken to that way: by `turns`, which exchange digits on the partitions for
    others, to many from one partition (`spread`), or by a `shuffle` of the digits on them."""
    rng = random.Random(seed)
    while True:
        found = [f for dim, size in enumerate(shape) for f in digits(rng, dim, size)]
        rows, columns = ([f for f in found if rng.random() < 0.5] for _ in range(2))
        columns = [f for f in columns if f not in rows]
        match kind:
            case "turns":
                lanes = rows, [*columns, replica(rng.choice([1, 1, 2, 3]))]
            case "spread":
                lanes = [], [replica(rng.choice([2, 31, 64, 128]))]
            case _:
                lanes = rows, [*rows, replica(rng.choice([1, 2, 3]))]
        pair = [_laid_out(shape, chosen, found, rng) for chosen in lanes]
        if all(x.partitions <= 128 and x.elements <= 4096 for x in pair):
            src, dst = (TileType.of(Space.SBUF, layout, f32) for layout in pair)
            if why_not(way, src, dst, load(target)) is None:
                return pair[0], pair[1]


def _laid_out(shape: Shape, lanes: Sequence[Factor], found: Sequence[Factor], rng: random.Random) -> Layout:
    """In any order."""
    free = [f for f in found if f not in lanes]
    return Layout.of(shape, rng.sample(lanes, len(lanes)), rng.sample(free, len(free)))


def moved(x: Array, way: Way, have: Layout, want: Layout, element: str, target: str) -> Array:
    """What comes out of a convert, brought in and out by DMA."""
    shape, out = have.shape, np.zeros_like(x)
    steps, memory = list(strides(shape)), f"memref<{x.size}x{element}>"
    src, dst = tile_text(have, element), tile_text(want, element)
    body = f"""
        %v = neuron.mem.load %a0 {strided(steps)} : {memory} -> {src}
        %w = neuron.mem.convert %v by {way} : {src} -> {dst}
        neuron.mem.store %w to %a1 {strided(steps)} : {dst} -> {memory}
    """
    run_text(body, [(x.size, element)] * 2, [x, out], target=target)
    return out


def anything(size: int, element: str) -> Array:
    """Random bytes: NaN, infinities and -0 among them."""
    x = np.random.default_rng(size).integers(0, 256, size * MOVED[element].itemsize, np.uint8).view(MOVED[element])
    if MOVED[element].kind not in "iu":
        x[: min(size, 4)] = np.array([np.nan, -np.inf, np.inf, -0.0], MOVED[element])[: min(size, 4)]
    return x


CASES = [
    ("turns", Way.WORDS, "trn1"),
    ("turns", Way.TENSOR, "trn2"),
    ("spread", Way.ONES, "trn1"),
    ("spread", Way.SHUFFLE, "trn1"),
    ("shuffle", Way.SHUFFLE, "trn2"),
]


@pytest.mark.parametrize(("kind", "way", "target"), CASES)
@few
@given(shape=shapes, seed=st.integers(0, 2**32 - 1), element=st.sampled_from(sorted(MOVED)))
def test_every_bit_arrives(kind: str, way: Way, target: str, shape: Shape, seed: int, element: str) -> None:
    have, want = arranged(shape, kind, seed, way, target)
    x = anything(math.prod(shape), element)
    assert moved(x, way, have, want, element, target).tobytes() == x.tobytes()


def dealt(shape: Shape, dim: int, blocked: bool = False) -> Layout:
    return Layout.lanes(shape, dim, 128, blocked)


LARGE = [(300, 260), (640, 129), (513, 3)]


@pytest.mark.parametrize("element", ["bf16", "f32"])
@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize(("way", "target"), [(Way.WORDS, "trn1"), (Way.TENSOR, "trn2"), (Way.TENSOR, "trn3")])
def test_several_banks_and_ragged_ends(way: Way, target: str, shape: Shape, blocked: bool, element: str) -> None:
    x = anything(math.prod(shape), element)
    have, want = dealt(shape, 0, blocked), dealt(shape, 1, blocked)
    assert moved(x, way, have, want, element, target).tobytes() == x.tobytes()


@pytest.mark.parametrize("element", ["bf16", "f32"])
def test_plain_floats_are_multiplied(element: str) -> None:
    """On a core that can't pass bits through."""
    shape = (131, 140)
    x = np.random.default_rng(0).integers(-200, 200, math.prod(shape)).astype(MOVED[element])
    out = moved(x, Way.TENSOR, dealt(shape, 0), dealt(shape, 1), element, "trn1")
    np.testing.assert_array_equal(out, x)


# What is chosen.
def ways(kernel: object, *arguments: object, target: str = "trn1", **meta: object) -> list[str]:
    """Of the converts of a kernel."""
    module = kernel.compile(*arguments, grid=(1,), target=target, **meta).module("neuron.mem")  # type: ignore[attr-defined]
    return [str(op.by.data) for op in module.walk() if isinstance(op, ConvertOp) and op.by is not None]


@nki_mlir.jit
def turned(x_ptr, out_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :])
    tl.store(out_ptr + tl.arange(0, COLUMNS)[:, None] * ROWS + tl.arange(0, ROWS)[None, :], tl.trans(x))


@pytest.mark.parametrize(("target", "way"), [("trn1", "words"), ("trn2", "tensor")])
def test_a_transpose_takes_the_array(target: str, way: str) -> None:
    x = anything(256 * 256, "bf16").reshape(256, 256)
    out = np.zeros_like(x)
    assert ways(turned, x, out, 256, 256, target=target) == [way]
    turned.compile(x, out, 256, 256, grid=(1,), target=target).run(x, out, 256, 256)
    assert out.tobytes() == x.T.tobytes()


@nki_mlir.jit
def scores(p_ptr, v_ptr, out_ptr):
    rows, columns = tl.arange(0, 128)[:, None], tl.arange(0, 128)[None, :]
    p = tl.load(p_ptr + rows * 128 + columns)
    v = tl.load(v_ptr + rows * 128 + columns)
    tl.store(out_ptr + rows * 128 + columns, tl.dot(p, v))


@pytest.mark.parametrize("target", ["trn1", "trn2"])
def test_what_is_not_finite_spoils_its_own_row_of_a_product(target: str) -> None:
    rng = np.random.default_rng(0)
    p, v = (rng.standard_normal((128, 128)).astype(MOVED["bf16"]) for _ in range(2))
    p[5, 7], p[60, 3], p[61, 3] = np.nan, np.inf, -np.inf
    out = np.zeros((128, 128), np.float32)
    scores.compile(p, v, out, grid=(1,), target=target).run(p, v, out)
    with np.errstate(invalid="ignore"):
        expected = p.astype(np.float32) @ v.astype(np.float32)
    fine = np.isfinite(expected)
    assert not fine[5].any() and fine[np.delete(np.arange(128), [5, 60, 61])].all()
    np.testing.assert_array_equal(np.isfinite(out), fine)
    np.testing.assert_allclose(out[fine], expected[fine], rtol=1e-4, atol=1e-4)


# What it costs.
PRICED = [
    (Way.WORDS, "trn1", dealt((300, 260), 0), dealt((300, 260), 1)),
    (Way.TENSOR, "trn1", dealt((300, 260), 0), dealt((300, 260), 1)),
    (Way.TENSOR, "trn2", dealt((300, 260), 0, True), dealt((300, 260), 1)),
    (Way.VECTOR, "trn2", dealt((64, 96), 0), dealt((64, 96), 1)),
    (Way.ONES, "trn1", Layout.flat((600,)), Layout.of((600,), [replica(128)], [Factor(0, 600)])),
    (Way.SHUFFLE, "trn2", Layout.flat((600,)), Layout.of((600,), [replica(128)], [Factor(0, 600)])),
]


@pytest.mark.parametrize(("way", "target", "have", "want"), PRICED)
def test_the_price_is_that_of_the_instructions(way: Way, target: str, have: Layout, want: Layout) -> None:
    src, dst = tile_text(have, "f32"), tile_text(want, "f32")
    module = parse(f"""
      builtin.module attributes {{neuron.target = "{target}"}} {{
        func.func @f() {{
          %zero = arith.constant 0.0 : f32
          %v = neuron.mem.fill %zero : f32 -> {src}
          %w = neuron.mem.convert %v by {way} : {src} -> {dst}
          func.return
        }}
      }}
    """)
    lowered = pipeline("select-instructions")(module)
    types = [TileType.of(Space.SBUF, layout, f32) for layout in (have, want)]
    expected: dict[str, float] = {}
    for number, stages in movement.groups(way, types[0], types[1], load(target)):
        for engine, ns, _ in stages:
            expected[engine.value] = expected.get(engine.value, 0.0) + number * ns
    found: dict[str, float] = {}
    for op in lowered.walk():
        if isinstance(op, EngineInstruction) and not _prepares(op):
            engine = op.engine.data.value
            found[engine] = found.get(engine, 0.0) + of_operation(op, load(target)).busy
    assert found == pytest.approx(expected)


def _prepares(op: EngineInstruction) -> bool:
    """What is made once in a function, and the source."""
    return op.instruction.name in ("iota", "memset") or op.fields().get("op0") is Alu.EQUAL


@pytest.mark.parametrize("most", [1, 2, 3, 7, 12, 100])
def test_the_blocks_of_groups_are_those_that_the_groups_have(most: int) -> None:
    blocks = (Digit(3, 40, 35), Digit(5, 8, 7), Digit(7, 1, 1))
    for kept in range(len(blocks) + 1):
        turn = Turn((Digit(4, 1, 1),), (), blocks[kept:], source=0, result=0)
        assert turn.blocks_of_groups(most) == [group.blocks for group in turn.groups(most)]


def test_a_row_of_any_length_is_spread_in_the_cheapest_way() -> None:
    found = []
    for columns in (8, 1024, 8192):
        row, lanes = Layout.flat((columns,)), Layout.of((columns,), [replica(128)], [Factor(0, columns)])
        found.append(Prices(load("trn1")).convert(row, lanes, u8)[1])
    assert found == [Way.SHUFFLE, Way.ONES, Way.DMA]
