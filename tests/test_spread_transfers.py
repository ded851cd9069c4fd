"""Iterations that become one: products on both halves of the array's rows, and transfers of several of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from engine_programs import program
from engine_reference import Reference
from xdsl.dialects.builtin import ModuleOp

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import execute, parse, pipeline
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.passes import spread_transfers

FP32, BF16 = np.dtype(np.float32), np.dtype(ml_dtypes.bfloat16)


@nki_mlir.jit
def products(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    """Of a matrix [K, M], turned, and one of [K, N], for each program."""
    batch = tl.program_id(0)
    rm, rn, rk = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + batch * M * K + rk[:, None] * M + rm[None, :])
    b = tl.load(b_ptr + batch * K * N + rk[:, None] * N + rn[None, :])
    c = tl.dot(tl.trans(a), b)
    tl.store(c_ptr + batch * M * N + rm[:, None] * N + rn[None, :], c.to(c_ptr.dtype.element_ty))


@pytest.mark.parametrize("target", ["trn1", "trn2"])
@pytest.mark.parametrize("dtype", [FP32, BF16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(("batch", "k"), [(1, 64), (2, 64), (5, 64), (18, 64), (8, 32), (3, 16)])
def test_products(batch: int, k: int, dtype: np.dtype[Any], target: str) -> None:
    """NaN and infinities of one matrix don't reach the next one."""
    rng, m, n = np.random.default_rng(batch), 128, 512
    a, b = (rng.standard_normal((batch, k, columns)).astype(dtype) for columns in (m, n))
    a[0, 0, 1], b[0, k - 1, 2], b[batch - 1, 0, n - 1] = np.nan, np.inf, -np.inf
    c = np.zeros((batch, m, n), dtype)
    meta: dict[str, Any] = {"M": m, "N": n, "K": k}
    compiled = products.compile(a, b, c, grid=(batch,), target=target, **meta)
    with np.errstate(all="ignore"):
        compiled.run(a, b, c, **meta)
        wanted = np.matmul(a.astype(np.float32).transpose(0, 2, 1), b.astype(np.float32))
    rtol = 2**-7 if dtype == BF16 else 1e-4
    np.testing.assert_allclose(c.astype(np.float32), wanted, rtol=rtol, atol=rtol)
    assert ("sbuf[64:" in compiled.ir("neuron.engine")) is (batch > 1)


MEMORY = 1 << 15
"""Elements of each argument."""


def loop(chance: random.Random, trips: int) -> str:
    """Each iteration loads tiles of some partitions, from rows that follow one another, or from places that are evenly
    apart, or come round again, computes with them, in halves at times, and stores what it has, beside what others store or in between, at
    times where tiles are loaded from."""
    lanes, columns = chance.choice((16, 32, 64, 128)), chance.choice((4, 6, 16))
    itemsize, size = 4, lanes * columns
    row = f"!neuron.engine.view<sbuf[0:{lanes}], [1 x {columns}], f32>"
    half = f"!neuron.engine.view<sbuf[0:{lanes}], [1 x {columns // 2}], f32>"
    buffer = f"!neuron.engine.buffer<sbuf, {lanes} x {itemsize * columns}>"
    memory = f"memref<{MEMORY}xf32>"
    ways = (
        ("%size", f"!neuron.engine.view<hbm, [{columns} x {lanes}, 1 x {columns}], f32>"),
        ("%columns", f"!neuron.engine.view<hbm, [{columns * trips} x {lanes}, 1 x {columns}], f32>"),
        ("%size", f"!neuron.engine.view<hbm, [1 x {lanes}, {lanes} x {columns}], f32>"),
        ("%none", f"!neuron.engine.view<hbm, [{columns} x {lanes}, 1 x {columns}], f32>"),
    )
    lines, made = list[str](), list[str]()

    def tile(name: str) -> str:
        lines.append(f'%b{name} = neuron.engine.alloc "{name}" : {buffer}')
        lines.append(f"%{name} = neuron.engine.view %b{name} : {buffer} -> {row}")
        for part, at in (("low", "%none"), ("high", "%half")):
            lines.append(f"%{name}{part} = neuron.engine.view %b{name} at {at} : {buffer} -> {half}")
        return f"%{name}"

    def place(name: str, source: str, may_meet: bool) -> str:
        step, type_ = chance.choice(ways if may_meet else ways[:3])
        lines.append(f"%at{name} = arith.muli {chance.choice(('%i', '%i', '%i', '%turn'))}, {step} : index")
        lines.append(f"%in{name} = neuron.engine.view {source} at %at{name} : {memory} -> {type_}")
        return f"%in{name} : {type_}"

    for number in range(chance.randint(1, 3)):
        there, name = place(f"x{number}", "%x", may_meet=True), tile(f"x{number}")
        lines.append(f"neuron.engine.dma_copy sync queue {number % 2} dst {name} : {row} src {there}")
        made.append(name)
    for number in range(chance.randint(1, 3)):
        a, b, name = chance.choice(made), chance.choice(made), tile(f"t{number}")
        engine = chance.choice(("vector", "gpsimd"))
        lines.append(
            f"neuron.engine.tensor_tensor {engine} op add dst {name} : {row} data1 {a} : {row} data2 {b} : {row}"
        )
        if chance.random() < 0.4:
            one, other = chance.sample(("low", "high"), 2)
            lines.append(f"neuron.engine.tensor_copy vector dst {name}{one} : {half} src {name}{other} : {half}")
        made.append(name)
    for number in range(chance.randint(1, 2)):
        there = place(f"y{number}", chance.choice(("%y", "%y", "%y", "%x")), may_meet=chance.random() < 0.2)
        lines.append(f"neuron.engine.dma_copy gpsimd queue 0 dst {there} src {made[-1 - number]} : {row}")
    body = "\n".join(lines)
    return f"""
      func.func @f(%x: {memory}, %y: {memory}) attributes {{tile.arg_names = ["x", "y"]}} {{
        %none = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %half = arith.constant {columns // 2} : index
        %columns = arith.constant {columns} : index
        %size = arith.constant {size} : index
        %trips = arith.constant {trips} : index
        %three = arith.constant 3 : index
        scf.for %i = %none to %trips step %c1 {{
          %turn = arith.remsi %i, %three : index
          {body}
        }}
        func.return
      }}
    """


def transfers(module: ModuleOp) -> int:
    return sum(isinstance(op, EngineInstruction) and op.instruction.is_transfer for op in module.walk())


def check(module: ModuleOp, wanted: list[Any], found: list[Any]) -> int:
    """That both do the same; how many transfers the text has then."""
    Reference(module, wanted)
    spread = pipeline("spread-transfers")(module)
    execute(pipeline("multi-buffer{depth=2},allocate,engine-to-isa")(spread), found, checks=True)
    assert b"".join(a.tobytes() for a in found) == b"".join(a.tobytes() for a in wanted)
    return transfers(spread)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> Any:
    """So many iterations become one wherever that can be."""

    def patch(copies: Sequence[int]) -> None:
        monkeypatch.setattr(spread_transfers, "_COPIES", tuple(copies))
        monkeypatch.setattr(spread_transfers, "_GAIN", 100.0)
        monkeypatch.setattr(spread_transfers, "_may_gain", lambda loop, costs: True)

    return patch


@pytest.mark.parametrize("copies", [2, 4, 8])
@pytest.mark.parametrize("group", range(4))
def test_loops(group: int, copies: int, always: Any) -> None:
    """Of fewer iterations than become one, as many, and more."""
    always([copies])
    joined = 0
    for seed in range(5):
        chance = random.Random(f"{group} {seed} {copies}")
        trips = chance.choice((copies - 1, copies, copies + 1, 2 * copies, 3 * copies - 1))
        data = np.random.default_rng([group, seed]).standard_normal(MEMORY).astype(np.float32)
        wanted, found = ([data.copy(), np.zeros_like(data)] for _ in range(2))
        module, bodies = parse(loop(chance, trips)), copies + (trips % copies > 0) if trips >= copies else 1
        joined += check(module, wanted, found) < bodies * transfers(module)
    assert joined


@pytest.mark.parametrize("group", range(4))
def test_random_programs(group: int, always: Any) -> None:
    always([2])
    for seed in range(5 * group, 5 * group + 5):
        given = program(seed)
        check(parse(given.text), given.arrays(), given.arrays())
