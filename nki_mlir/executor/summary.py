"""The timing of a run as text for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from nki_mlir.executor.timing import Timing, UnitProfile
from nki_mlir.executor.usage import DMA_ENGINES, NONE

_SHOWN_WAITS = 3
"""Reasons that the summary gives for each unit."""


def overview(timing: Timing, between: tuple[float, float] | None = None) -> str:
    """A line for the run, one for what bounds it, and one for each unit. `between` are the ends of the modelled time's
    range."""
    recording = timing.recording
    ends = "" if between is None else f" ({between[0]:.2f} to {between[1]:.2f})"
    lines = [
        f"modelled {timing.modelled_us:.2f} us{ends}, {timing.instructions} instructions; written per partition:"
        f" SBUF {recording.sbuf_high_water:,} B, PSUM {recording.psum_high_water:,} B",
        _bound_line(timing),
    ]
    return "\n".join([*lines, *_table(timing, 0)])


def summary(timing: Timing) -> str:
    """All of it, to be read."""
    recording, memory = timing.recording, timing.recording.target.memory
    read, written = timing.hbm_bytes
    lines = [
        f"modelled {timing.modelled_us:.2f} us on {recording.target.name}, {timing.instructions} instructions,"
        f" {timing.text_instructions} in the text",
        f"memory, per partition: SBUF {_of(recording.sbuf_high_water, memory.sbuf_usable_bytes)},"
        f" PSUM {_of(recording.psum_high_water, memory.psum_bytes)}",
        f"HBM: {_size(read)} read, {_size(written)} written; {timing.hbm_bytes_per_ns:.2f} B/ns,"
        f" {timing.hbm_utilisation:.1%} of {timing.hbm_peak_bytes_per_ns:.0f}",
        *_transfer_lines(timing),
        *_matmul_lines(timing),
        _bound_line(timing),
    ]
    return "\n".join([*lines, "", *_table(timing, _SHOWN_WAITS)])


def _transfer_lines(timing: Timing) -> list[str]:
    if (run := timing.run) is None:
        return []
    unit = next(unit for unit in timing.units if unit.run is run)
    busiest = max(share for name, share in timing.shares.items() if name.endswith(DMA_ENGINES))
    return [
        f"DMA: shortest contiguous run {run.nbytes:,} B, of {run.by} on {unit.name}; busiest of its engines"
        f" in use {busiest:.1%}"
    ]


def _matmul_lines(timing: Timing) -> list[str]:
    if not timing.flops:
        return ["matmuls: none"]
    roof = "the Tensor engine" if timing.roof == "tensor" else "HBM"
    return [
        f"matmuls: {timing.flops / 1e9:.4g} GFLOP at {timing.tflops:.3g} TFLOP/s, MFU {timing.mfu:.1%} of the bf16"
        f" peak of {timing.peak_tflops:.1f}; Tensor busy {timing.tensor_utilisation:.1%}",
        f"roofline: {timing.intensity:.1f} flop/B, ridge at {timing.ridge:.1f}: {roof} is the roof, at"
        f" {timing.roof_tflops:.3g} TFLOP/s, of which {timing.tflops / timing.roof_tflops:.1%} reached",
    ]


def _bound_line(timing: Timing) -> str:
    if timing.bound == NONE:
        return "bound by nothing: the run does nothing"
    name, share = max(timing.shares.items(), key=lambda item: item[1])
    if timing.bound in timing.shares:
        return f"bound by {timing.bound}, in use {timing.shares[timing.bound]:.1%}"
    return f"bound by {timing.bound}: most in use is {name}, {share:.1%}"


def _table(timing: Timing, waits: int) -> list[str]:
    width = max((len(unit.name) for unit in timing.units), default=0)
    total, partitions = timing.modelled_us or 1.0, timing.recording.target.memory.partitions
    lines = []
    for unit in timing.units:
        shares = ", ".join(f"{part / total:.1%} {name}" for part, name in _parts(unit))
        kind = "transfers" if "dma " in unit.name else "instructions"
        used = f" on {unit.lanes.mean:.0f} of {partitions} partitions" if unit.lanes else ""
        run = f", runs of {unit.run.nbytes:,} B or more" if unit.run else ""
        lines.append(f"  {unit.name:{width}}  busy {unit.busy_us:10.2f} us: {shares}; {unit.count} {kind}{used}{run}")
        if waits:
            lines += [f"  {'':{width}}    {line}" for line in _details(unit, waits)]
    return lines


def _parts(unit: UnitProfile) -> Sequence[tuple[float, str]]:
    latency = unit.latency_us
    own = [(latency, "latency")] if latency else []
    return [(unit.busy_us, "busy"), *own, (unit.waiting_us - latency, "waiting"), (unit.idle_us, "idle")]


def _details(unit: UnitProfile, waits: int) -> Iterable[str]:
    if unit.instructions:
        yield ", ".join(f"{count} {name}" for name, count in Counter(unit.instructions).most_common())
    if unit.nbytes:
        yield ", ".join(f"{_size(nbytes)} {direction}" for direction, nbytes in unit.nbytes.items())
    if unit.run:
        yield f"shortest contiguous run {unit.run.nbytes:,} B, of {unit.run.by}"
    if unit.lanes and unit.lanes.least < unit.lanes.most:
        mean, least, most, by = unit.lanes
        yield f"partitions in use: {mean:.1f} in the mean, {least} ({by}) to {most}"
    yield from (f"waited {wait}" for wait in unit.waits[:waits])
    if len(unit.waits) > waits:
        rest = unit.waits[waits:]
        yield f"waited {sum(wait.us for wait in rest):.2f} us for {len(rest)} other reasons"


def _of(used: int, capacity: int) -> str:
    return f"{used:,} B of {capacity:,} ({used / capacity:.0%})"


def _size(nbytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= size:
            return f"{nbytes / size:.4g} {unit}"
    return f"{nbytes} B"
