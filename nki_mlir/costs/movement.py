"""What it costs that elements change their partition within SBUF, in ns: the instructions or transfers of each way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute

from nki_mlir.costs import transfers
from nki_mlir.costs.operations import of_instance
from nki_mlir.dialects.access import Access, Dim, Engine, Space, contiguous
from nki_mlir.dialects.dtypes import u8
from nki_mlir.dialects.instructions import BY_NAME, Function, Instance
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.turns import Passage, Turn
from nki_mlir.dialects.walks import alike_transfers, walks
from nki_mlir.dialects.ways import BLOCK, Way, one_replica, shuffles, through_array
from nki_mlir.targets import Target

_KEPT = 0.5
"""What part of the time in which the array multiplies words there are products that wait for it: assumed."""


class Stage(NamedTuple):
    """Instructions of one kind, one behind the other: how long they keep their engine, and how much later the result of
    the last one is there."""

    engine: Engine
    busy: float
    tail: float

    @classmethod
    def of(cls, number: int, instruction: Instance) -> Stage:
        cost = of_instance(instruction)
        return cls(instruction.engine, number * cost.busy, cost.latency - cost.busy)


class Group(NamedTuple):
    """`number` times these stages, of which each waits for the one before."""

    number: int
    stages: Sequence[Stage]


def price(way: Way, src: TileType, dst: TileType, target: Target, most: float = math.inf) -> float:
    """From the first instruction to the result. `way` is one that can be, and moves something. Of a price above `most`
    only that it is above is certain."""
    return _transfers(src, dst, target, most) if way is Way.DMA else _instructions(way, src, dst, target)


def _transfers(src: TileType, dst: TileType, target: Target, most: float) -> float:
    """One after the other on a ring. Whoever needs the value waits for all of a transfer's latency, twice: it is
    neither the first nor the last thing that happens to it."""
    element, total = _stored(src.element_type), 2 * (target.dma.start_ns + target.dma.completion_ns)
    if total > most:
        return total
    for whole in walks(dst.sizes, dst.layout.spots, one_replica(src.layout), anywhere=True):
        number, walk = alike_transfers(whole, target.limits.transfer_dims)
        ends = (("dst", 0), ("src", 1))
        operands = {name: _on_chip(element, walk.dims(at), walk.partitions(at)) for name, at in ends}
        one = _instance("dma_copy", Engine.SYNC, operands, target, queue=0)
        total += number * max(transfers.least_ns(target), *(share.ring for share in transfers.shares(one)))
        if total > most:
            break
    return total


def _instructions(way: Way, src: TileType, dst: TileType, target: Target) -> float:
    """Until the last result is there: each engine takes one group after the other, as soon as the stage before has its
    result. What multiplies also keeps the array from the products of a kernel."""
    free: dict[Engine, float] = {}
    there = taken = 0.0
    for number, stages in groups(way, src, dst, target):
        taken += sum(number * stage.busy for stage in stages if way is Way.WORDS and stage.engine is Engine.TENSOR)
        for _ in range(number):
            there = 0.0
            for engine, busy, tail in stages:
                free[engine] = max(there, free.get(engine, 0.0)) + busy
                there = free[engine] + tail + target.control.wake_ns
    return there + _KEPT * taken


def groups(way: Way, src: TileType, dst: TileType, target: Target) -> Iterator[Group]:
    """What the engines have to do."""
    yield from _GROUPS[way](way, src, dst, target)


def _blocks(way: Way, src: TileType, dst: TileType, target: Target) -> Iterator[Group]:
    """32 x 32 each."""
    block = _on_chip(_stored(src.element_type), [(1, BLOCK)], BLOCK)
    number = -(-dst.sizes[0] // BLOCK) * -(-dst.sizes[1] // BLOCK)
    turn = _instance("nc_transpose", Engine.VECTOR, {"dst": block, "data": block}, target)
    yield Group(1, [Stage.of(number, turn)])


def _shuffles(way: Way, src: TileType, dst: TileType, target: Target) -> Iterator[Group]:
    element = _stored(src.element_type)
    for one in shuffles(dst.sizes, one_replica(src.layout), dst.layout.spots):
        ends = (("dst", 0, len(one.mask)), ("src", 1, one.height))
        operands = {name: _on_chip(element, one.walk.dims(number), lanes) for name, number, lanes in ends}
        shuffle = _instance("nc_stream_shuffle", Engine.VECTOR, operands, target, shuffle_mask=one.mask)
        yield Group(1, [Stage.of(1, shuffle)])


def _through_array(way: Way, src: TileType, dst: TileType, target: Target) -> Iterator[Group]:
    """What shares a bank: words as numbers, products or transposes, what leaves the bank."""
    passage, turns = through_array(way, src, dst, target)
    found = enumerate((turn.rows, turn.columns, blocks) for turn in turns for blocks in passage.blocks_of_groups(turn))
    alike = Counter((digits, passage.leaves_by(at)) for at, digits in found)
    for (digits, by), number in alike.items():
        group = Turn(*digits, source=0, result=0)
        width = dst.layout.partitions if way is Way.ONES else group.width
        if not passage.in_words:
            array = [_transposes(passage, group, target)]
        else:
            array = [_numbers(passage, group, target), _products(passage, group, width, way is Way.ONES, target)]
        yield Group(number, [*array, _leaving(passage, group, width, by, target)])


_GROUPS = {
    Way.VECTOR: _blocks,
    Way.SHUFFLE: _shuffles,
    **dict.fromkeys((Way.TENSOR, Way.WORDS, Way.ONES), _through_array),
}


def _numbers(passage: Passage, group: Turn, target: Target) -> Stage:
    operands = {
        "dst": _on_chip(passage.data, [(1, group.elements * passage.words)], group.height),
        "src": _on_chip(passage.result, group.read(passage.words), group.height),
    }
    return Stage.of(1, _instance("tensor_copy", Engine.VECTOR, operands, target))


def _products(passage: Passage, group: Turn, width: int, spread: bool, target: Target) -> Stage:
    """Of each block with an identity, or of ones with all elements at once."""
    number, columns = (1, group.number) if spread else (group.number, group.height)
    operands = {
        "dst": _on_chip(passage.sums, [(1, columns)], width, Space.PSUM),
        "stationary": _on_chip(passage.data, [(1, width)], group.height),
        "moving": _on_chip(passage.data, [(1, columns)], group.height),
    }
    hints = passage.hints(spread)
    return Stage.of(number * passage.words, _instance("nc_matmul", Engine.TENSOR, operands, target, **hints))


def _transposes(passage: Passage, group: Turn, target: Target) -> Stage:
    operands = {
        "dst": _on_chip(passage.sums, [(1, group.height)], group.width, Space.PSUM),
        "data": _on_chip(passage.data, group.column_dims, group.height),
    }
    return Stage.of(group.number, _instance("nc_transpose", Engine.TENSOR, operands, target))


def _leaving(passage: Passage, group: Turn, width: int, by: Engine, target: Target) -> Stage:
    sums = _on_chip(passage.sums, [(1, group.number * group.height * passage.words)], width, Space.PSUM)
    dst = _on_chip(passage.result, group.written(passage.words), width)
    if passage.as_bits:
        return Stage.of(1, _instance("tensor_copy", by, {"dst": dst, "src": sums}, target))
    return Stage.of(1, _instance("activation", Engine.SCALAR, {"dst": dst, "data": sums}, target, op=Function.COPY))


def _on_chip(element: Attribute, dims: Sequence[Dim], lanes: int, space: Space = Space.SBUF) -> Access:
    return Access(space, element, tuple(contiguous(dims)), 0, lanes)


def _stored(element: Attribute) -> Attribute:
    """Truth values are bytes on chip."""
    return u8 if element == i1 else element


def _instance(
    name: str, engine: Engine, operands: Mapping[str, Access | float], target: Target, **fields: object
) -> Instance:
    return Instance(BY_NAME[name], engine, operands, fields, target)
