"""Transfers that share semaphores because there are not enough: each still waits for its own counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from xdsl.ir import Operation

from nki_mlir import CompileError, execute, parse
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes import insert_semaphores
from nki_mlir.passes.levels import remaining_pipeline
from nki_mlir.passes.pipelines import build, run, set_target
from nki_mlir.targets import Target

ELEMENTS = 512
VIEW = "!neuron.engine.view<sbuf[0:8], [1 x 1], f32>"
HBM = "!neuron.engine.view<hbm, [1 x 8], f32>"
BUFFER = "!neuron.engine.buffer<sbuf, 8 x 4>"
MEMORY = f"memref<{ELEMENTS}xf32>"


def loop(number: int, trips: int, depth: int) -> str:
    """Doubles `trips` blocks of 8, those after block `8 * number`; its loads take turns at `depth` slots."""
    return f"""
      %t{number} = arith.constant {trips} : index
      %o{number} = arith.constant {64 * number} : index
      scf.for %i = %zero to %t{number} step %one {{
        %b = neuron.engine.alloc "b{number}" {{depth = {depth} : i64}} : {BUFFER}
        %v = neuron.engine.view %b : {BUFFER} -> {VIEW}
        %at8 = arith.muli %i, %eight : index
        %at = arith.addi %at8, %o{number} : index
        %h = neuron.engine.view %x at %at : {MEMORY} -> {HBM}
        neuron.engine.dma_copy sync queue 0 dst %v : {VIEW} src %h : {HBM}
        neuron.engine.tensor_tensor vector op add dst %v : {VIEW} data1 %v : {VIEW} data2 %v : {VIEW}
        %k = neuron.engine.view %y at %at : {MEMORY} -> {HBM}
        neuron.engine.dma_copy gpsimd queue 0 dst %k : {HBM} src %v : {VIEW}
      }}
    """


def kernel(loops: Sequence[tuple[int, int]]) -> str:
    return f"""
      func.func @f(%x: {MEMORY}, %y: {MEMORY}) attributes {{tile.arg_names = ["x", "y"]}} {{
        %zero = arith.constant 0 : index
        %one = arith.constant 1 : index
        %eight = arith.constant 8 : index
        {"".join(loop(number, *one) for number, one in enumerate(loops))}
        func.return
      }}
    """


def few(available: int) -> Callable[[Operation], Target]:
    """A target with so many semaphores."""

    def target(op: Operation) -> Target:
        whole = target_of(op)
        return replace(whole, limits=replace(whole.limits, semaphores=available))

    return target


def compiled(loops: Sequence[tuple[int, int]], available: int, patch: pytest.MonkeyPatch) -> Any:
    """Machine code for a chip of the first kind with that many semaphores."""
    patch.setattr(insert_semaphores, "target_of", few(available))
    module = parse(kernel(loops))
    set_target(module, "trn1")
    spec = remaining_pipeline(module).replace("multi-buffer,", "")
    run(build(spec), module)
    return module


CASES = {
    "all used equally": ([(4, 2)] * 6, 5),
    "the first is not": ([(3, 2), *[(4, 2)] * 5], 9),
    "the second is not": ([(4, 2), (5, 2), *[(6, 2)] * 4], 9),
    "different numbers of slots": ([(4, 2), (3, 1), (6, 3), (4, 2), (3, 1), (6, 3)], 13),
    "three slots": ([(3, 3), (4, 3), (6, 3), (6, 3), (9, 3)], 13),
}
"""The loops, and the fewest semaphores with which all of their slots are in use at once."""

FEWEST = 3
"""With which these kernels compile: one of the Vector engine, one of loads, one of stores."""


@pytest.mark.parametrize("case", CASES)
def test_shared(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer whose slots have not all been used equally often can't hand its semaphores on."""
    loops, available = CASES[case]
    assert available < 1 + 2 * sum(depth for _, depth in loops), "none is shared"
    _check(loops, available, monkeypatch)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("least", [True, False])
def test_one_at_a_time(case: str, least: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer semaphores a transfer starts when the one before is complete."""
    loops, available = CASES[case]
    _check(loops, FEWEST if least else available - 1, monkeypatch)


def _check(loops: Sequence[tuple[int, int]], available: int, patch: pytest.MonkeyPatch) -> None:
    module = compiled(loops, available, patch)
    x = np.random.default_rng(1).standard_normal(ELEMENTS).astype(np.float32)
    expected = np.zeros(ELEMENTS, np.float32)
    for number, (trips, _) in enumerate(loops):
        block = slice(64 * number, 64 * number + 8 * trips)
        expected[block] = 2 * x[block]
    for seed in (None, 1, 2):
        y = np.zeros(ELEMENTS, np.float32)
        execute(module, [x, y], seed=seed)
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("case", CASES)
def test_too_few(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loops, _ = CASES[case]
    with pytest.raises(CompileError) as caught:
        compiled(loops, FEWEST - 1, monkeypatch)
    message = (
        f"the kernel needs more than the {FEWEST - 1} semaphores of a core for its transfers; larger blocks need fewer"
    )
    assert caught.value.message == message


def test_what_runs_in_some_iterations_shares_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fill that runs in the last iteration of its loop alone raises a semaphore of its own: those of later loops go
    on with its count."""
    fill = f"""
        %limit = arith.subi %i, %two : index
        %w = neuron.engine.view %b limit dim 1 %limit : {BUFFER} -> {VIEW}
        neuron.engine.memset vector value 5.0 : f32 dst %w : {VIEW}
        neuron.engine.tensor_tensor scalar"""
    loops, constants = 8, "%one = arith.constant 1 : index\n        %two = arith.constant 2 : index"
    text = kernel([(4, 1)] * loops).replace("%one = arith.constant 1 : index", constants)
    text = text.replace("\n        neuron.engine.tensor_tensor vector", fill.replace("scalar", "gpsimd"))
    monkeypatch.setattr(insert_semaphores, "target_of", few(8))
    module = parse(text)
    set_target(module, "trn1")
    run(build(remaining_pipeline(module).replace("multi-buffer,", "")), module)
    x, y = np.random.default_rng(1).standard_normal(ELEMENTS).astype(np.float32), np.zeros(ELEMENTS, np.float32)
    execute(module, [x, y])
    wanted = np.zeros((8, 64), np.float32)
    wanted[:loops, :32] = 2 * x.reshape(8, 64)[:loops, :32]
    wanted[:loops, 24:32] = 10
    np.testing.assert_array_equal(y, wanted.ravel())
