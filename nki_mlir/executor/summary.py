"""A profile as text for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nki_mlir.executor.usage import DMA_ENGINES, NONE

if TYPE_CHECKING:
    from nki_mlir.executor.profile import Profile, UnitProfile

_SHOWN_WAITS = 3
"""Reasons that the summary gives for each unit."""


def overview(profile: Profile) -> str:
    """A line for the run, one for what bounds it, and one for each unit."""
    recording = profile.recording
    lines = [
        f"modelled {profile.modelled_us:.2f} us, {profile.instructions} instructions; written per partition:"
        f" SBUF {recording.sbuf_high_water:,} B, PSUM {recording.psum_high_water:,} B",
        _bound_line(profile),
    ]
    return "\n".join([*lines, *_table(profile, 0)])


def summary(profile: Profile) -> str:
    """All of it, to be read."""
    recording, memory = profile.recording, profile.recording.target.memory
    read, written = profile.hbm_bytes
    lines = [
        f"modelled {profile.modelled_us:.2f} us on {recording.target.name}, {profile.instructions} instructions,"
        f" {profile.text_instructions} in the text",
        f"memory, per partition: SBUF {_of(recording.sbuf_high_water, memory.sbuf_usable_bytes)},"
        f" PSUM {_of(recording.psum_high_water, memory.psum_bytes)}",
        f"HBM: {_size(read)} read, {_size(written)} written; {profile.hbm_bytes_per_ns:.2f} B/ns,"
        f" {profile.hbm_utilisation:.1%} of {profile.hbm_peak_bytes_per_ns:.0f}",
        *_transfer_lines(profile),
        *_matmul_lines(profile),
        _bound_line(profile),
    ]
    return "\n".join([*lines, "", *_table(profile, _SHOWN_WAITS)])


def _transfer_lines(profile: Profile) -> list[str]:
    if (run := profile.run) is None:
        return []
    unit = next(unit for unit in profile.units if unit.run is run)
    busiest = max(share for name, share in profile.shares.items() if name.endswith(DMA_ENGINES))
    return [
        f"DMA: shortest contiguous run {run.nbytes:,} B, of {run.by} on {unit.name}; busiest of its engines"
        f" in use {busiest:.1%}"
    ]


def _matmul_lines(profile: Profile) -> list[str]:
    if not profile.flops:
        return ["matmuls: none"]
    roof = "the Tensor engine" if profile.roof == "tensor" else "HBM"
    return [
        f"matmuls: {profile.flops / 1e9:.4g} GFLOP at {profile.tflops:.3g} TFLOP/s, MFU {profile.mfu:.1%} of the bf16"
        f" peak of {profile.peak_tflops:.1f}; Tensor busy {profile.tensor_utilisation:.1%}",
        f"roofline: {profile.intensity:.1f} flop/B, ridge at {profile.ridge:.1f}: {roof} is the roof, at"
        f" {profile.roof_tflops:.3g} TFLOP/s, of which {profile.tflops / profile.roof_tflops:.1%} reached",
    ]


def _bound_line(profile: Profile) -> str:
    if profile.bound == NONE:
        return "bound by nothing: the run does nothing"
    name, share = max(profile.shares.items(), key=lambda item: item[1])
    if profile.bound in profile.shares:
        return f"bound by {profile.bound}, in use {profile.shares[profile.bound]:.1%}"
    return f"bound by {profile.bound}: most in use is {name}, {share:.1%}"


def _table(profile: Profile, waits: int) -> list[str]:
    width = max((len(unit.name) for unit in profile.units), default=0)
    total, partitions = profile.modelled_us or 1.0, profile.recording.target.memory.partitions
    lines = []
    for unit in profile.units:
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
