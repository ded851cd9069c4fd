"""Any cut of any loop that skew may make leaves what a program computes as it is."""

from __future__ import annotations

import random

import numpy as np
import pytest
from engine_programs import Array, program
from engine_reference import Reference
from xdsl.dialects.builtin import ModuleOp

from nki_mlir import execute, parse, pipeline
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.passes import skew

COLUMNS = 16
ROW = f"!neuron.engine.view<sbuf[0:128], [1 x {COLUMNS}], f32>"
HALF = f"!neuron.engine.view<sbuf[0:128], [1 x {COLUMNS // 2}], f32>"
BUFFER = f"!neuron.engine.buffer<sbuf, 128 x {4 * COLUMNS}>"
MEMORY = f"!neuron.engine.view<hbm, [{COLUMNS} x 128, 1 x {COLUMNS}], f32>"
TILE = 128 * COLUMNS


@pytest.fixture(autouse=True)
def any_cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All cuts cost the same, but for a draw, and gain enough."""
    chance = random.Random(request.node.name)
    monkeypatch.setattr(skew, "ROUNDS", 2)
    monkeypatch.setattr(skew, "_GAIN", 10.0)
    monkeypatch.setattr(skew, "least", lambda nodes: 0.0)
    monkeypatch.setattr(skew, "period", lambda order, slots: chance.uniform(1, 2))


def loop(chance: random.Random, trips: int) -> str:
    """Loads a tile for each iteration, computes with it and with what it made before, on several engines, in whole tiles
    and in halves, and stores some of it; at times with a tile that goes on from iteration to iteration."""
    lines, made = list[str](), ["%given"]
    goes_on = chance.random() < 0.3

    def tile(name: str) -> None:
        lines.append(f'%b{name} = neuron.engine.alloc "{name}" : {BUFFER}')
        lines.append(f"%{name} = neuron.engine.view %b{name} : {BUFFER} -> {ROW}")
        for half, at in ("low", "%c0"), ("high", "%half"):
            lines.append(f"%{name}{half} = neuron.engine.view %b{name} at {at} : {BUFFER} -> {HALF}")

    tile("x")
    lines.append(f"neuron.engine.dma_copy sync queue 0 dst %x : {ROW} src %in : {MEMORY}")
    made.append("%x")
    for number in range(chance.randint(3, 9)):
        name, engine = f"t{number}", chance.choice(("vector", "gpsimd", "scalar"))
        tile(name)
        a, b = chance.choice(made[1:]), chance.choice(made)
        if engine == "scalar":
            lines.append(f"neuron.engine.activation scalar op copy dst %{name} : {ROW} data {a} : {ROW}")
        else:
            lines.append(
                f"neuron.engine.tensor_tensor {engine} op add dst %{name} : {ROW} data1 {a} : {ROW} data2 {b} : {ROW}"
            )
        if chance.random() < 0.4:
            one, other = chance.sample(("low", "high"), 2)
            lines.append(f"neuron.engine.tensor_copy vector dst %{name}{one} : {HALF} src %{name}{other} : {HALF}")
        made.append(f"%{name}")
        if chance.random() < 0.3:
            again = chance.choice(made[1:])
            lines.append(
                f"neuron.engine.tensor_tensor vector op multiply dst {again} : {ROW} data1 {again} : {ROW} data2 {b} : {ROW}"
            )
    if goes_on:
        last = chance.choice(made[1:])
        lines.append(
            f"neuron.engine.tensor_tensor vector op add dst %state : {ROW} data1 %state : {ROW} data2 {last} : {ROW}"
        )
        if chance.random() < 0.5:
            lines.insert(8, f"neuron.engine.tensor_copy vector dst %x : {ROW} src %state : {ROW}")
    stored = "%state" if goes_on and chance.random() < 0.5 else made[-1]
    lines.append(f"neuron.engine.dma_copy gpsimd queue 0 dst %out : {MEMORY} src {stored} : {ROW}")
    body = "\n".join(lines)
    where = chance.choice(("%y", "%y", "%y", "%x_all"))
    return f"""
      func.func @f(%x_all: memref<{8 * TILE}xf32>, %y: memref<{8 * TILE}xf32>) attributes {{tile.arg_names = ["x", "y"]}} {{
        %c0 = arith.constant 0 : index
        %half = arith.constant {COLUMNS // 2} : index
        %c1 = arith.constant 1 : index
        %size = arith.constant {TILE} : index
        %trips = arith.constant {trips} : index
        %bgiven = neuron.engine.alloc "given" : {BUFFER}
        %given = neuron.engine.view %bgiven : {BUFFER} -> {ROW}
        neuron.engine.memset vector value 1.0 : f32 dst %given : {ROW}
        %bstate = neuron.engine.alloc "state" : {BUFFER}
        %state = neuron.engine.view %bstate : {BUFFER} -> {ROW}
        neuron.engine.memset vector value 3.0 : f32 dst %state : {ROW}
        scf.for %i = %c0 to %trips step %c1 {{
          %at = arith.muli %i, %size : index
          %in = neuron.engine.view %x_all at %at : memref<{8 * TILE}xf32> -> {MEMORY}
          %out = neuron.engine.view {where} at %at : memref<{8 * TILE}xf32> -> {MEMORY}
          {body}
        }}
        func.return
      }}
    """


def instructions(module: ModuleOp) -> int:
    return sum(isinstance(op, EngineInstruction) for op in module.walk())


def check(module: ModuleOp, wanted: list[Array], found: list[Array]) -> bool:
    """That both do the same; whether a loop was skewed."""
    Reference(module, wanted)
    skewed = pipeline("skew")(module)
    execute(pipeline("multi-buffer{depth=2},allocate,engine-to-isa")(skewed), found, checks=True)
    assert b"".join(a.tobytes() for a in found) == b"".join(a.tobytes() for a in wanted)
    return instructions(skewed) > instructions(module)


@pytest.mark.parametrize("group", range(12))
def test_loops(group: int) -> None:
    """Two to seven iterations; most of the loops can be skewed."""
    skewed = 0
    for seed in range(6):
        chance = random.Random(f"{group} {seed}")
        trips = chance.randint(2, 7)
        data = np.random.default_rng([group, seed]).standard_normal(8 * TILE).astype(np.float32)
        wanted, found = ([data.copy(), np.zeros_like(data)] for _ in range(2))
        skewed += check(parse(loop(chance, trips)), wanted, found)
    assert skewed >= 3


@pytest.mark.parametrize("group", range(8))
def test_random_programs(group: int) -> None:
    for seed in range(5 * group, 5 * group + 5):
        given = program(seed)
        check(parse(given.text), given.arrays(), given.arrays())
