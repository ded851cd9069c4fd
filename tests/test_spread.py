"""What spread makes of nests of loops computes the same, bit by bit, wherever in an inner iteration it begins."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from engine_reference import Reference

from nki_mlir import execute, parse, pipeline
from nki_mlir.passes import spread

COLUMNS = 8
ITEM = f"!neuron.engine.view<sbuf[0:128], [1 x {COLUMNS}], f32>"
PIECE = f"!neuron.engine.buffer<sbuf, 128 x {4 * COLUMNS}>"
HBM = f"!neuron.engine.view<hbm, [{COLUMNS} x 128, 1 x {COLUMNS}], f32>"
TILE = 128 * COLUMNS
MOST = 32
MEMORY = f"memref<{MOST * TILE}xf32>"


@pytest.fixture(autouse=True)
def always(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any gain is enough, and what is spread begins anywhere."""
    monkeypatch.setattr(spread, "_GAIN", 100.0)
    monkeypatch.setattr(spread, "_BEGINS", (random.Random(request.node.name).choice((0.0, 0.3, 0.6, 0.9)),))


def view(name: str, buffer: str, type_: str, place: int = 0) -> str:
    return f"""
      %{name}at = arith.constant {place * COLUMNS} : index
      %{name} = neuron.engine.view %{buffer} at %{name}at : {type_} -> {ITEM}"""


def double(dst: str, src: str, engine: str) -> str:
    return (
        f"neuron.engine.tensor_tensor {engine} op add dst %{dst} : {ITEM} data1 %{src} : {ITEM} data2 %{src} : {ITEM}"
    )


def copy(dst: str, src: str) -> str:
    return f"neuron.engine.activation scalar op copy dst %{dst} : {ITEM} data %{src} : {ITEM}"


def add(dst: str, src: str) -> str:
    return f"neuron.engine.tensor_tensor vector op add dst %{dst} : {ITEM} data1 %{dst} : {ITEM} data2 %{src} : {ITEM}"


WAYS = (
    "plain",
    "loads first",
    "one after the other",
    "an end of its own",
    "reads what is stored",
    "reads what goes on",
    "backwards",
    "seen inside",
    "prepared",
    "another order",
    "mixed up",
)
SPREAD = {"plain", "loads first", "one after the other", "an end of its own", "prepared"}


def nest(way: str, trips: int, times: int) -> str:
    """In front of the inner loop, `times` pieces of a tile are loaded, computed with in buffers that take turns, and put
    together; in it, each iteration reads all of them, and stores."""
    whole = f"!neuron.engine.buffer<sbuf, 128 x {4 * COLUMNS * times}>"
    order = [*range(1, times), 0] if way == "another order" and times > 2 else range(times)
    loads, work, turns = (
        list[Sequence[str]](),
        list[Sequence[str]](),
        1 if way in ("one after the other", "mixed up") else 2,
    )
    for n in range(times):
        load = [
            f"%offset{n} = arith.constant {n * TILE} : index",
            f"%place{n} = arith.addi %from, %offset{n} : index",
            f"%in{n} = neuron.engine.view %{'y' if way == 'reads what is stored' else 'x'} at %place{n} : {MEMORY} -> {HBM}",
            view(f"raw{n}", "raw", whole, n),
            f"neuron.engine.dma_copy sync queue 0 dst %raw{n} : {ITEM} src %in{n} : {HBM}",
        ]
        turn = view(f"t{n}", f"turn{n % turns}", PIECE)
        make = [turn, double(f"t{n}", f"raw{n}", "gpsimd"), view(f"made{n}", "made", whole, order[n])]
        if way == "prepared":
            make.append(add(f"t{n}", "ready"))
        if way == "reads what goes on":
            make.append(add(f"t{n}", "given"))
        if way == "mixed up":
            make += [view(f"u{n}", "turn0" if n else "turn1", PIECE), double(f"u{n}", f"raw{n}", "vector")]
            make += [view(f"v{n}", "turn0", PIECE), double(f"v{n}", f"u{n}", "gpsimd"), copy(f"t{n}", f"u{n}")]
        loads.append(load)
        work.append([*make, copy(f"made{n}", f"t{n}")])
    steps = [*loads, *work] if way == "loads first" else [[*a, *b] for a, b in zip(loads, work, strict=True)]
    front = ["%from = arith.muli %i, %size : index", *(line for step in steps for line in step)]
    taken, behind = "made", list[str]()
    if way == "backwards":
        taken = "turned"
        for n in range(times):
            front += [view(f"back{n}", "turned", whole, times - 1 - n), double(f"back{n}", f"made{n}", "vector")]
        front += [add(f"back{n}", f"made{(n + 1) % times}") for n in range(times)]
    if way == "an end of its own":
        front += [double("sum", f"made{times - 1}", "gpsimd"), add("sum", "made0")]
        behind += [add("given", "sum")]
    prepared = [double("half", "given", "vector"), double("ready", "half", "gpsimd")] if way == "prepared" else []
    inside = [view("out", "result", PIECE), double("out", "given" if way == "reads what goes on" else "one", "vector")]
    for n in range(times):
        inside += [view(f"read{n}", taken, whole, n), add("out", f"read{n}")]
    if way == "seen inside":
        inside += [view("last", f"turn{(times - 2) % 2}", PIECE), add("out", "last")]
    if way == "an end of its own":
        inside += [add("out", "sum")]
    if way == "reads what goes on":
        inside += [double("given", "out", "gpsimd")]
    ahead = "%size" if way == "reads what is stored" else "%c0"
    buffers = [f'%{name} = neuron.engine.alloc "{name}" : {whole}' for name in ("raw", "made", "turned")]
    buffers += [f'%{name} = neuron.engine.alloc "{name}" : {PIECE}' for name in ("turn0", "turn1", "b0", "b1", "b2")]
    buffers += [view("half", "b0", PIECE), view("ready", "b1", PIECE), view("sum", "b2", PIECE)]
    lines = {
        name: "\n".join(part)
        for name, part in (("front", [*buffers, *prepared, *front]), ("inside", inside), ("behind", behind))
    }
    return f"""
      func.func @f(%x: {MEMORY}, %y: {MEMORY}) attributes {{tile.arg_names = ["x", "y"]}} {{
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %trips = arith.constant {trips} : index
        %times = arith.constant {times} : index
        %tile = arith.constant {TILE} : index
        %size = arith.constant {times * TILE} : index
        %bgiven = neuron.engine.alloc "given" : {PIECE}
        %given = neuron.engine.view %bgiven : {PIECE} -> {ITEM}
        neuron.engine.memset vector value 0.5 : f32 dst %given : {ITEM}
        %bone = neuron.engine.alloc "one" : {PIECE}
        %one = neuron.engine.view %bone : {PIECE} -> {ITEM}
        neuron.engine.memset vector value 1.0 : f32 dst %one : {ITEM}
        scf.for %i = %c0 to %trips step %c1 {{
          {lines["front"]}
          scf.for %j = %c0 to %times step %c1 {{
            %result = neuron.engine.alloc "result" : {PIECE}
            {lines["inside"]}
            %inner = arith.muli %j, %tile : index
            %there = arith.addi %from, %inner : index
            %behind = arith.addi %there, {ahead} : index
            %to = neuron.engine.view %y at %behind : {MEMORY} -> {HBM}
            neuron.engine.dma_copy gpsimd queue 0 dst %to : {HBM} src %out : {ITEM}
          }}
          {lines["behind"]}
        }}
        %last = neuron.engine.view %y at %c0 : {MEMORY} -> {HBM}
        neuron.engine.dma_copy gpsimd queue 0 dst %last : {HBM} src %given : {ITEM}
        func.return
      }}
    """


def loops(text: str) -> int:
    return text.count("scf.for")


@pytest.mark.parametrize("times", (2, 3, 4))
@pytest.mark.parametrize("way", WAYS)
def test_nests(way: str, times: int) -> None:
    """Those of one iteration, or none, stay as they are; others become a loop, a nest, and a loop, where nothing is
    against it."""
    for trips in (0, 1, 2, 5):
        module = parse(nest(way, trips, times))
        data = np.random.default_rng([trips, times]).standard_normal(MOST * TILE).astype(np.float32)
        wanted, found = ([data.copy(), data.copy()] for _ in range(2))
        Reference(module, wanted)
        made = pipeline("spread")(module)
        execute(pipeline("multi-buffer{depth=2},allocate,engine-to-isa")(made), found, checks=True)
        assert b"".join(a.tobytes() for a in found) == b"".join(a.tobytes() for a in wanted)
        if way in SPREAD or trips < 2:
            assert (loops(str(made)) > loops(str(module))) == (trips > 1)


@pytest.mark.parametrize("way", sorted(SPREAD))
def test_what_would_not_fit_is_left_alone(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the letter, and with nothing left over that uses what is there."""
    monkeypatch.setattr(spread, "fits", lambda lives, target: False)
    module = parse(nest(way, 5, 4))
    made = pipeline("spread")(module)
    assert str(made.body.block.first_op) == str(module.body.block.first_op)
    for ours, theirs in zip(made.walk(), module.walk(), strict=True):
        assert [len(list(r.uses)) for r in ours.results] == [len(list(r.uses)) for r in theirs.results]
