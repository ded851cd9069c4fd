"""Random `neuron.engine` programs with run-time control flow: machine code keeps program order whatever the timing, and
the checks find what is wrong once a wait is gone."""

from __future__ import annotations

import random
from functools import cache

import pytest
from engine_programs import Array
from engine_reference import Reference
from run_time_programs import run_time_program
from xdsl.dialects.builtin import ModuleOp

from nki_mlir import execute, pipeline
from nki_mlir.dialects.neuron_isa import SequencerOp
from nki_mlir.errors import CompileError, ExecutionError


@cache
def lowered(seed: int) -> ModuleOp:
    depth = random.Random(seed).choice((1, 2, 3))
    return pipeline(f"multi-buffer{{depth={depth}}},allocate,engine-to-isa")(run_time_program(seed).module)


@cache
def wanted(seed: int) -> bytes:
    """What program order leaves in the arrays."""
    arrays = run_time_program(seed).arrays()
    Reference(run_time_program(seed).module, arrays)
    return contents(arrays)


def contents(arrays: list[Array]) -> bytes:
    return b"".join(a.tobytes() for a in arrays)


def test_too_many_scalars() -> None:
    with pytest.raises(CompileError, match="more than the 64 registers"):
        lowered(11)


def run(number: int, checks: bool = False, seed: int | None = None) -> bytes:
    arrays = run_time_program(number).arrays()
    execute(lowered(number), arrays, checks=checks, seed=seed)
    return contents(arrays)


@pytest.mark.parametrize("seed", [*range(11), 12])
def test_program_order_is_kept(seed: int) -> None:
    assert run(seed, checks=True) == wanted(seed)
    for timing in range(3):
        assert run(seed, seed=timing) == wanted(seed)


@pytest.mark.parametrize("seed", range(5))
def test_waits_that_matter_are_missed(seed: int) -> None:
    """Without one of its waits a program is reported, or does as before in every order that is tried."""
    waits = [op for op in lowered(seed).walk() if isinstance(op, SequencerOp) and op.wait is not None]
    for op in random.Random(seed).sample(waits, min(5, len(waits))):
        wait = op.properties.pop("wait")
        try:
            run(seed, checks=True)
            for timing in range(4):
                assert run(seed, seed=timing) == wanted(seed), str(op)
        except ExecutionError:
            continue
        finally:
            op.properties["wait"] = wait
