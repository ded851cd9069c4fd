"""What one operation of a machine level costs: `neuron.engine`'s and `neuron.isa`'s, from the same table.

Times are nanoseconds. The resources of a core are named as in a profile:

- `tensor`, `vector`, `scalar`, `gpsimd`, `sync`: an engine; of the Tensor engine, its array;
- `tensor weights`: the path by which weights come into the array, behind what it multiplies;
- `sbuf port`, `psum port`: a memory that several engines of the target never use at the same time (where that holds of
  single banks of PSUM, it is left out);
- `dma engine 0`: one of the DMA engines, at its full rate; `hbm`: what all of them can move of a memory's bandwidth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nki_mlir.costs import instructions, transfers
from nki_mlir.dialects.instructions import Instance

WEIGHTS, HBM = "tensor weights", "hbm"

Work = Mapping[str, float]
"""For how many ns each resource is kept."""


@dataclass(frozen=True)
class OperationCost:
    """`busy`: how long its engine takes nothing else. `latency`: from its issue to its result, where nothing else is
    under way. `work`: for how long it keeps each resource that it uses from all others."""

    busy: float
    latency: float
    work: Work


def of_instance(i: Instance) -> OperationCost:
    """A load of weights and a multiplication that stand alone are taken for halves of one matmul: of the weights'
    columns, a multiplication has as many as its result has rows."""
    if i.instruction.is_transfer:
        return _of_transfer(i)
    if i.instruction.expands_to:
        load, move = instructions.matmul_parts(i)
        return _of_matmul(instructions.load(load), instructions.stream(move))
    match i.instruction.array:
        case "load":
            return _of_load(instructions.load(i))
        case "multiply":
            return _of_stream(instructions.load_of_stream(i), instructions.stream(i))
        case _:
            return _of_instruction(i)


def _of_instruction(i: Instance) -> OperationCost:
    occupancy, latency = instructions.cost(i)
    busy = max(occupancy, instructions.dynamic_ns(i))
    shared = {f"{port.kind} port": busy for port in instructions.ports(i) if port.kind != "bank"}
    return OperationCost(busy, latency, {i.engine.value: busy, **shared})


def _of_load(load: instructions.Load) -> OperationCost:
    return OperationCost(load.each, load.pairs * load.each + load.latency, {WEIGHTS: load.pairs * load.each})


def _of_stream(load: instructions.Load, stream: instructions.Stream) -> OperationCost:
    """The array is free for the next stream a gap later."""
    busy = instructions.streams_ns(load, stream)
    return OperationCost(busy, busy + stream.drain, {"tensor": busy + stream.gap})


def _of_matmul(load: instructions.Load, stream: instructions.Stream) -> OperationCost:
    """The first half of the weights is loaded before the array is used; `busy` is the array."""
    loads, streams = _of_load(load), _of_stream(load, stream)
    latency = load.each + load.latency + streams.latency
    return OperationCost(streams.busy, latency, {**loads.work, **streams.work})


def _of_transfer(i: Instance) -> OperationCost:
    """Its engine only triggers it."""
    made = transfers.generation(i)
    busy = max(made.prepare + made.trigger, instructions.dynamic_ns(i))
    moved = transfers.traffic(i)
    work = {
        i.engine.value: busy,
        HBM: (moved.hbm_read + moved.hbm_written)
        / transfers.full_rate(i.target, within=bool(moved.hbm_read and moved.hbm_written)),
        **engines_ns(transfers.shares(i)),
    }
    return OperationCost(busy, transfers.transfer_ns(i), {name: ns for name, ns in work.items() if ns})


def engines_ns(shares: Sequence[transfers.Share]) -> dict[str, float]:
    """How long each DMA engine works on a transfer."""
    numbers = ((number, s) for s in shares for number in range(s.mask.bit_length()) if s.mask >> number & 1)
    return {f"dma engine {number}": share.service for number, share in numbers}
