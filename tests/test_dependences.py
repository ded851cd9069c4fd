"""The edges between instructions, against all that they do one by one: whatever touches what another one writes is
behind it, however the semaphores are timed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import test
from xdsl.dialects.builtin import f32

from nki_mlir.analysis.dependences import Dependences, Edge
from nki_mlir.analysis.program_order import Loop, Step, common_loops
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.expr import Counter, Expr, Mod

ENGINES = (Engine.VECTOR, Engine.SCALAR, Engine.GPSIMD)
Nest = tuple[Loop, list["Step | Nest"]]


@dataclass(frozen=True)
class Instance:
    """What a step does in one iteration of its loops."""

    step: Step
    at: tuple[int, ...]


class Transfer(Step):
    """One that DMA carries out, whose completions are in no order."""

    @cached_property
    def is_dma(self) -> bool:
        return True


@st.composite
def cells(draw: st.DrawFn, loops: int) -> Access:
    """One or two of a few floats, or another one in each iteration, which may come round again."""
    terms: list[tuple[Counter | Mod, int]] = []
    for depth in range(loops):
        counter, kind = Counter(depth), draw(st.sampled_from(("same", "moves", "turns")))
        if kind != "same":
            terms.append((counter if kind == "moves" else Mod(Expr.of(0, [(counter, 1)]), 2), 4))
    address = Expr.of(4 * draw(st.integers(0, 1)), terms)
    return Access(Space.SBUF, f32, ((1, draw(st.integers(1, 2))),), 0, 1, address)


@st.composite
def steps(draw: st.DrawFn, order: int, loops: tuple[Loop, ...], transfers: bool) -> Step:
    spans = []
    for loop in loops:
        start = draw(st.integers(0, loop.trips - 1))
        spans.append(
            range(start, draw(st.integers(start + 1, loop.trips))) if draw(st.booleans()) else range(loop.trips)
        )
    reads, writes = (draw(st.lists(cells(len(loops)), max_size=most)) for most in (2, 1))
    engine, moves = draw(st.sampled_from(ENGINES)), transfers and draw(st.booleans())
    made = Transfer if moves else Step
    return made(test.TestOp(), engine, order, loops, reads, writes, transfers=moves, spans=tuple(spans))


@st.composite
def bodies(draw: st.DrawFn, loops: tuple[Loop, ...], numbers: Iterator[int], transfers: bool) -> list[Step | Nest]:
    """A few steps, and loops where there may be more."""
    found: list[Step | Nest] = []
    for _ in range(draw(st.integers(1, 3))):
        if len(loops) < 2 and draw(st.booleans()):
            loop = Loop(next(numbers), draw(st.integers(1, 4)))
            found.append((loop, draw(bodies((*loops, loop), numbers, transfers))))
        else:
            found.append(draw(steps(next(numbers), loops, transfers)))
    return found


def all_steps(body: Sequence[Step | Nest]) -> Iterator[Step]:
    for part in body:
        if isinstance(part, Step):
            yield part
        else:
            yield from all_steps(part[1])


def run(body: Sequence[Step | Nest], at: tuple[int, ...] = ()) -> Iterator[Instance]:
    """All that happens, in program order."""
    for part in body:
        if isinstance(part, tuple):
            for now in range(part[0].trips):
                yield from run(part[1], (*at, now))
        elif all(now in span for now, span in zip(at, part.spans, strict=True)):
            yield Instance(part, at)


def touched(accesses: Sequence[Access], at: tuple[int, ...]) -> set[int]:
    found: set[int] = set()
    for access in accesses:
        assert access.address is not None
        first, _ = access.address.bounds(lambda key: (at[key], at[key]) if isinstance(key, int) else (0, 0))
        found |= {first // 4 + place for place in range(access.dims[0][1])}
    return found


def matters(before: Instance, after: Instance) -> bool:
    """Whether the later one must wait for the earlier one: an engine writes in order, but reads before it has written."""
    written = touched(before.step.writes, before.at)
    if written & touched(after.step.reads, after.at):
        return True
    both = written | touched(before.step.reads, before.at)
    in_turn = before.step.engine is after.step.engine and not before.step.is_dma and not after.step.is_dma
    return not in_turn and bool(both & touched(after.step.writes, after.at))


def waited_for(edge: Edge, later: Instance, happened: Sequence[Instance]) -> list[int]:
    """The places of the instances for which one of `later` waits: up to as many iterations before, the last one, or
    of a transfer, those so many before the last. Nothing before the edge begins."""
    if edge.begin and later.at[0] < edge.begin:
        return []
    loops = common_loops(edge.earlier, edge.later)
    number = 0
    for loop, now in zip(loops, later.at, strict=False):
        number = number * loop.trips + now
    number -= edge.distance
    if number < 0:
        return []
    last: list[int] = []
    for loop in reversed(loops):
        last.insert(0, number % loop.trips)
        number //= loop.trips
    end = (*last, *(edge.until or [loop.trips for loop in edge.earlier.loops[len(loops) :]]))
    places = [n for n, one in enumerate(happened) if one.step is edge.earlier and one.at <= end]
    return [places[-1 - back] for back in edge.slots if back < len(places)]


def unordered(body: Sequence[Step | Nest], edges: Sequence[Edge]) -> list[tuple[Instance, Instance]]:
    """The pairs whose order matters and that no chain of waits keeps. `completed` has, as the bits of an integer, what
    is so when an instance starts, `behind` what is when it has completed."""
    happened = list(run(body))
    completed, behind = [0] * len(happened), [0] * len(happened)
    last: dict[Engine, int] = {}
    computed: dict[Engine, int] = {}
    found: list[tuple[Instance, Instance]] = []
    for n, later in enumerate(happened):
        engine = later.step.engine
        if engine in last:
            completed[n] = completed[last[engine]]
        for edge in edges:
            if edge.later is later.step:
                for place in waited_for(edge, later, happened[: n + 1]):
                    completed[n] |= behind[place]
        behind[n] = completed[n] | 1 << n
        if not later.step.is_dma:
            behind[n] |= computed.get(engine, 0)
            computed[engine] = behind[n]
        last[engine] = n
        found += [
            (before, later)
            for m, before in enumerate(happened[:n])
            if matters(before, later) and not completed[n] >> m & 1
        ]
    return found


@pytest.mark.parametrize("transfers", [False, True])
@settings(max_examples=400)
@given(data=st.data())
def test_what_matters_is_waited_for(transfers: bool, data: st.DataObject) -> None:
    body = data.draw(bodies((), count(), transfers))
    edges = Dependences(list(all_steps(body)), {}).edges
    assert unordered(body, edges) == []
