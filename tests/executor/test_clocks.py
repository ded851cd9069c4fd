"""What semaphore counts prove, against the definition: a completion is relied on if nothing can get past without it.

The traces are random: engines and rings with waits and updates on few semaphores, run in a random legal order. For each
completion the definition is tried out: with it held back for ever, everything else that can happen does.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from nki_mlir.executor.checks.clocks import relied
from nki_mlir.executor.trace import Issue

AMOUNT = 4


@dataclass(eq=False)
class Fake:
    """As much of a micro-op as an order looks at."""

    waits: bool
    update_core: int | None
    amount: int
    ring: tuple[str, int] | None
    mask: int


@dataclass(eq=False)
class Stream:
    name: str
    steps: list[tuple[Fake, tuple[int, ...]]] = field(default_factory=list)
    core: int = 0


def streams_of(rng: random.Random) -> list[Stream]:
    semaphores = rng.randint(1, 4)
    shared = rng.random() < 0.7
    found = []
    for index in range(rng.randint(1, 3)):
        stream = Stream(f"engine {index}")
        for _ in range(rng.randint(1, 7)):
            dma = rng.random() < 0.4
            update = None if rng.random() < 0.3 else 0
            semaphore = rng.randrange(semaphores) if shared else (index if not dma else index + 3)
            amount = AMOUNT if dma else rng.randint(1, 2)
            ring = (stream.name, rng.randrange(2)) if dma else None
            waits = rng.random() < 0.6
            wanted = rng.randint(1, 3) if rng.random() < 0.5 else AMOUNT * rng.randint(1, 2)
            waited = rng.randrange(semaphores) if shared else rng.randrange(6)
            step = Fake(waits, update, amount, ring, rng.choice([1, 3]))
            stream.steps.append((step, (waited, wanted, semaphore)))
        found.append(stream)
    return found


def run(streams: list[Stream], rng: random.Random) -> list[Issue]:
    """A legal order of issue: completions as soon as possible, the streams in any order."""
    heads, counts = dict.fromkeys(streams, 0), dict[int, int]()
    trace: list[Issue] = []
    while True:
        ready = []
        for stream in streams:
            if heads[stream] < len(stream.steps):
                step, (semaphore, wanted, _) = stream.steps[heads[stream]]
                if not step.waits or counts.get(semaphore, 0) >= wanted:
                    ready.append(stream)
        if not ready:
            return trace
        stream = rng.choice(ready)
        step, numbers = stream.steps[heads[stream]]
        heads[stream] += 1
        trace.append(cast(Issue, (stream, step, numbers)))
        if step.update_core is not None:
            counts[numbers[2]] = counts.get(numbers[2], 0) + step.amount


def reached_without(trace: list[Issue], held: int) -> set[int]:
    """The issues (places in the trace) that happen although the completion of item `held` never does."""
    streams: dict[Any, list[int]] = {}
    for place, (stream, _, _) in enumerate(trace):
        streams.setdefault(stream, []).append(place)
    issued = set[int]()
    while True:
        counts = dict[int, int]()
        for place in issued:
            _, step, numbers = trace[place]
            if step.update_core is not None:
                late = _held_back(trace, held, place)
                lost = (1 if step.ring is not None else step.amount) if late else 0
                counts[numbers[2]] = counts.get(numbers[2], 0) + step.amount - lost
        more = set[int]()
        for places in streams.values():
            following = next((p for p in places if p not in issued), None)
            if following is not None:
                _, step, (semaphore, wanted, _) = trace[following]
                if not step.waits or counts.get(semaphore, 0) >= wanted:
                    more.add(following)
        if not more:
            return issued
        issued |= more


def _held_back(trace: list[Issue], held: int, place: int) -> bool:
    (stream, step, _), (other, later, _) = trace[held], trace[place]
    if stream is not other or place < held or (step.ring is None) != (later.ring is None):
        return False
    if step.ring is None or place == held:
        return True
    return step.ring == later.ring and step.mask & later.mask == step.mask


@pytest.mark.parametrize("seed", range(800))
def test_counts_prove_exactly_what_is_needed(seed: int) -> None:
    rng = random.Random(seed)
    trace = run(streams_of(rng), rng)
    taken = relied(trace)
    for held, event in enumerate(taken):
        reached = reached_without(trace, held)
        for place, found in enumerate(taken):
            relies = found.clock[event.chain] >= event.number
            assert relies == (place not in reached), f"{place} relies on {held}: {relies}"
