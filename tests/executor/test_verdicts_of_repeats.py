"""That a run has no race, shown by a few of its periods: never of a run that has one, and quickly of one that has none."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from executor.machine_code import program, sample
from executor.test_periods import X, longer, turns
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.dialects.neuron_isa import SequencerOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.executor import period
from nki_mlir.executor.binding import empty, tensors
from nki_mlir.executor.checks import repeats
from nki_mlir.executor.checks.clocks import History, LeftOut, Order, Raise
from nki_mlir.executor.checks.hbm import meets
from nki_mlir.executor.checks.races import Races
from nki_mlir.executor.checks.repeats import has_no_race
from nki_mlir.executor.load import load
from nki_mlir.executor.run import advance, program_of
from nki_mlir.executor.simulation import Simulation
from nki_mlir.executor.trace import Trace


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Periods are looked for in short runs, too."""
    monkeypatch.setattr(period, "_LONG", 0)
    monkeypatch.setattr(period, "_OFTEN", 0)


def traced(module: ModuleOp) -> tuple[Trace, set[str]] | None:
    """What a run issues, and the tensors that it does not write; None if it gets stuck."""
    found = program_of(module)
    simulation = Simulation(target_of(found), empty(found), None, checks=False, numerics=False)
    sequencers = load(found, simulation, {})
    advance(simulation, sequencers)
    constant = {tensor.name for tensor in tensors(found) if not tensor.written}
    return (simulation.trace, constant) if all(s.done for s in sequencers) else None


def verdicts(module: ModuleOp) -> tuple[bool, bool]:
    """Whether a run is known to have no race, and whether it has none."""
    found = traced(module)
    return (False, False) if found is None else (has_no_race(*found), not Races(*found).findings())


@pytest.fixture
def left_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many periods have been left out, each time."""
    counts: list[int] = []
    leave_out = repeats._Proof._leave_out

    def counted(self: repeats._Proof, first: repeats._State, second: repeats._State, count: int) -> None:
        counts.append(count)
        leave_out(self, first, second, count)

    monkeypatch.setattr(repeats._Proof, "_leave_out", counted)
    return counts


GOOD: dict[str, Callable[[], ModuleOp]] = {
    **{name: lambda name=name: longer(sample(name), 40) for name in ("add", "matmul", "two_cores")},
    "turns": lambda: program(turns(400), X),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_has_no_race(name: str, left_out: list[int]) -> None:
    assert verdicts(GOOD[name]()) == (True, True)
    assert sum(left_out) > 20


def wrong(module: ModuleOp, rng: random.Random) -> ModuleOp:
    """With a wait or an accumulate flag dropped, or a wait for less."""
    found = module.clone()
    ops = [op for op in found.walk() if isinstance(op, SequencerOp)]
    kind = rng.choice(["wait", "accumulate", "less"])
    name = "accumulate" if kind == "accumulate" and any(kind in op.properties for op in ops) else "wait"
    op = rng.choice([op for op in ops if name in op.properties])
    wait = op.properties[name]
    if kind == "less" and op.wait is not None:
        op.properties[name] = type(op.wait)(
            replace(op.wait.data, value=op.wait.data.value - rng.choice([1, 2, 16, 32]))
        )
    else:
        del op.properties[name]
    assert op.properties.get(name) != wait
    return found


@pytest.mark.parametrize("name", GOOD)
def test_what_has_a_race_is_never_taken_to_have_none(name: str, left_out: list[int]) -> None:
    rng, races = random.Random(name), 0
    for _ in range(12):
        known, free = verdicts(wrong(GOOD[name](), rng))
        assert free or not known
        races += not free
    assert races > 3


COPY = """neuron.isa.dma_copy queue {queue} dst <{dst}, [1 x 64], f32> src <{src}, [1 x 64], f32>
  wait <sem {wait}> update <sem {queue} add 16>"""


def loop(*lines: str, count: int = 300) -> str:
    return "neuron.isa.stream sync {{ neuron.isa.repeat {} {{ {} }} }}".format(count, "\n".join(lines))


def test_bytes_of_hbm_are_compared_over_all_periods(left_out: list[int]) -> None:
    """Each iteration stores to bytes of its own, or to some of those that the one ten before stored to."""
    there = COPY.format(queue=0, dst="sbuf[0:1] at 0", src='hbm "x" at 0', wait="1 reaches 16 * i0")
    back = COPY.format(queue=1, dst='hbm "y" at {}', src="sbuf[0:1] at 0", wait="0 reaches 16 * i0 + 16")
    tensors = "x: memref<64xf32>; y: memref<30000xf32>"
    assert verdicts(program(loop(there, back.format("256 * i0")), tensors)) == (True, True)
    assert sum(left_out) > 200
    left_out.clear()
    assert verdicts(program(loop(there, back.format("256 * (i0 mod 10)")), tensors)) == (False, True)
    assert verdicts(program(loop(there, back.format("128 * i0")), tensors)) == (False, True)
    late = back.replace("0 reaches 16 * i0 + 16", "2 reaches 0").format("256 * i0")
    assert verdicts(program(loop(there, late), tensors)) == (False, False)


@pytest.mark.parametrize(
    "first, second, writes, any_access",
    [
        ("4 * i0", "1600 + 4 * i0", False, False),
        ("8 * i0", "8 * i0 + 4", False, False),
        ("8 * i0", "8 * i0 + 16", True, True),
        ("4 * i0", "4 * i0", True, True),
    ],
)
def test_accesses_to_hbm(first: str, second: str, writes: bool, any_access: bool) -> None:
    """Each iteration writes two elements, and reads none or the first."""
    store = 'neuron.isa.dma_copy queue 0 dst <hbm "y" at {}, [1 x 1], f32> src <{}, [1 x 1], f32> update <sem 0 add 16>'
    there = [store.format(at, "sbuf[0:1] at 0") for at in (first, second)]
    back = f'neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 4, [1 x 1], f32> src <hbm "y" at {first}, [1 x 1], f32>'
    for lines, reads in ((there, any_access), ([*there, f"{back} update <sem 0 add 16>"], True)):
        found = traced(program(loop(*lines, count=200), "y: memref<1000xf32>"))
        assert found is not None
        assert (meets(*found, reads=False), meets(*found)) == (writes, reads)


def test_what_comes_after_a_repeat(left_out: list[int]) -> None:
    """It waits for all of it, or for less."""
    tail = """neuron.isa.stream tensor {{
      neuron.isa.nc_transpose dst <psum[0:64] at 0, [1 x 128], f32> data <sbuf[0:128] at 8192, [1 x 64], f32>
        wait <sem 4 reaches {}> }}"""
    assert verdicts(program(turns(300, tail.format(300)), X)) == (True, True)
    assert sum(left_out) > 50
    for count in (299, 150, 3):
        assert verdicts(program(turns(300, tail.format(count)), X)) == (False, False)


@pytest.mark.parametrize("ahead", [101, 1])
def test_what_is_learned_from_longer_ago_is_not_relied_on(ahead: int, left_out: list[int]) -> None:
    """Scalar waits for what Vector did last, or for what it did 100 raises ago."""
    streams = f"""neuron.isa.stream vector {{
      neuron.isa.repeat 100 {{ neuron.isa.event_semaphore update <sem 0 add 1> }}
      neuron.isa.repeat 600 {{ neuron.isa.event_semaphore wait <sem 1 reaches i0 - 3> update <sem 0 add 1> }} }}
    neuron.isa.stream scalar {{ neuron.isa.repeat 600 {{
      neuron.isa.event_semaphore wait <sem 0 reaches i0 + {ahead}> update <sem 1 add 1> }} }}"""
    assert verdicts(program(streams)) == (True, True)
    assert (sum(left_out) > 20) is (ahead > 100)


def test_a_history_says_what_it_has_left_out() -> None:
    history = History(1)
    history.add(Raise(0, 1, 16, [1], None, 0))
    history.leave_out(160)
    history.add(Raise(0, 12, 16, [12], None, 11))
    assert list(history.totals) == [16, 192]
    order = Order([])
    assert order._learn([0], (0, 0), history, 16)[0] == [1]
    assert order._learn([0], (0, 0), history, 177)[0] == [12]
    for value in (17, 100, 176):
        with pytest.raises(LeftOut):
            order._learn([0], (0, 0), history, value)


def test_who_keeps_up() -> None:
    assert repeats._keeps_up(2, 6, [6, 1], [8, 1], [10, 1])
    assert not repeats._keeps_up(2, 8, [4, 7], [6, 7], [8, 7])
    assert not repeats._keeps_up(2, 6, [4, 1], [6, 1], [7, 1])
    assert not repeats._keeps_up(2, 4, [6, 5], [8, 5], [10, 5])
    assert not repeats._keeps_up(2, 6, [6, 3, 2], [8, 3, 4], [10, 3, 5])
