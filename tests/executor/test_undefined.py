"""How marks of undefined lanes pass through single instructions: a store of what has one is reported, others are not."""

from __future__ import annotations

import numpy as np
import pytest
from executor.machine_code import program

from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.executor.checks import Checks

ROWS, COLUMNS = 32, 8
TILE = "[1 x 8], f32"
STARTS = (
    f"vector memset value 1.0 : f32 dst <sbuf[0:32] at 0, {TILE}>",
    'vector memset value 0.0 : f32 stands_for "undefined" dst <sbuf[0:32] at 16, [1 x 4], f32>',
    "gpsimd iota pattern [1, 8] offset 0 channel_multiplier 0 dst <sbuf[0:32] at 32, [1 x 8], i32>",
)
"""A tile at 0 whose columns 4 to 7 are undefined, and at 32 the columns' numbers."""
ABOVE = "vector tensor_scalar op0 {op} dst <sbuf[0:32] at 64, [1 x 8], ui8> data <sbuf[0:32] at 32, [1 x 8], i32>"
BELOW_4 = f"{ABOVE.format(op='less')} operand0 4.0 : f32"
FROM_4 = f"{ABOVE.format(op='greater_equal')} operand0 4.0 : f32"
PREDICATE = "predicate <sbuf[0:32] at 64, [1 x 8], ui8>"
DST = f"dst <sbuf[0:32] at 96, {TILE}>"
FILL = f"vector memset value 2.0 : f32 {DST}"
SRC = f"src <sbuf[0:32] at 0, {TILE}>"


def run(*lines: str, checks: Checks = True) -> None:
    """Instructions one after the other, each with a wait for the one before it, on the engine that it begins with."""
    streams: dict[str, list[str]] = {}
    count = 0
    for line in lines:
        engine, text = line.split(" ", 1)
        amount = 16 if text.startswith("dma") else 1
        wait = f" wait <sem 0 reaches {count}>" if count else ""
        update = "" if text.startswith("register_load") else f" update <sem 0 add {amount}>"
        streams.setdefault(engine, []).append(f"neuron.isa.{text}{wait}{update}")
        count += amount if update else 0
    body = "\n".join(f"neuron.isa.stream {engine} {{\n" + "\n".join(ops) + "\n}" for engine, ops in streams.items())
    execute(program(body, "y: memref<32x8xf32>"), [np.zeros((ROWS, COLUMNS), np.float32)], checks=checks)


def store(columns: range, at: int = 96) -> str:
    size = len(columns)
    return (
        f'sync dma_copy queue 0 dst <hbm "y" at {4 * columns.start}, [8 x 32, 1 x {size}], f32>'
        f" src <sbuf[0:32] at {at + 4 * columns.start}, [1 x {size}], f32>"
    )


def reported(*lines: str, checks: Checks = True) -> str | None:
    try:
        run(*STARTS, *lines, checks=checks)
    except ExecutionError as error:
        assert error.kind == "uninitialised", error
        return str(error)
    return None


LOW, HIGH = range(4), range(4, 8)

PASSES = {
    "a copy": (f"vector tensor_copy {DST} {SRC}",),
    "a function": (f"scalar activation op exp {DST} data <sbuf[0:32] at 0, {TILE}>",),
    "an operator with a tile": (
        FILL,
        f"vector tensor_tensor op add dst <sbuf[0:32] at 96, {TILE}> data1 <sbuf[0:32] at 96, {TILE}>"
        f" data2 <sbuf[0:32] at 0, {TILE}>",
    ),
    "a predicated copy onto defined lanes": (
        FILL,
        FROM_4,
        f"vector tensor_copy_predicated {DST} {SRC} {PREDICATE}",
    ),
    "a predicated copy that leaves undefined lanes": (
        f"vector tensor_copy {DST} {SRC}",
        FILL.replace("96", "128"),
        BELOW_4,
        f"vector tensor_copy_predicated {DST} src <sbuf[0:32] at 128, {TILE}> {PREDICATE}",
    ),
    "a choice between lanes and a number": (
        FROM_4,
        f"vector select_reduce {DST} {PREDICATE} on_true <sbuf[0:32] at 0, {TILE}> on_false 1.0 : f32",
    ),
    "a choice of the lanes where a number is not wanted": (
        BELOW_4,
        f"vector select_reduce reverse_pred {DST} {PREDICATE} on_true <sbuf[0:32] at 0, {TILE}> on_false 1.0 : f32",
    ),
    "a choice that is undefined": (
        FILL,
        "vector tensor_scalar op0 greater dst <sbuf[0:32] at 64, [1 x 8], ui8> data <sbuf[0:32] at 0, [1 x 8], f32>"
        " operand0 0.0 : f32",
        f"vector tensor_copy_predicated {DST} src <sbuf[0:32] at 96, {TILE}> {PREDICATE}",
    ),
    "an affine select of the upper columns": (
        f"gpsimd affine_select on_false_value 7.0 : f32 pattern [1, 8] offset -4 channel_multiplier 0 cmp_op"
        f" greater_equal {DST} on_true_tile <sbuf[0:32] at 0, {TILE}>",
    ),
    "a transfer on chip": (f"sync dma_copy queue 1 {DST} {SRC}",),
}
"""Instructions that leave columns 4 to 7 of the tile at 96 undefined, and the others defined."""


@pytest.mark.parametrize("name", PASSES)
def test_a_mark_goes_with_its_element(name: str) -> None:
    assert reported(*PASSES[name], store(LOW)) is None
    text = reported(*PASSES[name], store(HIGH))
    assert text is not None and "elements 0..3 of 4, on partitions 0..31" in text


CLEARS = {
    "a memset": (FILL,),
    "a predicated copy": (
        f"vector tensor_copy {DST} {SRC}",
        FILL.replace("96", "128"),
        FROM_4,
        f"vector tensor_copy_predicated {DST} src <sbuf[0:32] at 128, {TILE}> {PREDICATE}",
    ),
    "a choice of a number": (
        f"vector tensor_copy {DST} {SRC}",
        BELOW_4,
        f"vector select_reduce {DST} {PREDICATE} on_true <sbuf[0:32] at 0, {TILE}> on_false 1.0 : f32",
    ),
    "a predicated value": (
        f"vector tensor_copy {DST} {SRC}",
        FROM_4,
        f"vector tensor_copy_predicated value 3.0 : f32 {DST} {PREDICATE}",
    ),
    "an affine select of the lower columns": (
        f"gpsimd affine_select on_false_value 7.0 : f32 pattern [1, 8] offset -4 channel_multiplier 0 cmp_op less"
        f" {DST} on_true_tile <sbuf[0:32] at 0, {TILE}>",
    ),
    "a transfer from HBM": (
        f"vector tensor_copy {DST} {SRC}",
        f'sync dma_copy queue 1 {DST} src <hbm "y" at 0, [8 x 32, 1 x 8], f32>',
    ),
}


@pytest.mark.parametrize("name", CLEARS)
def test_a_write_of_something_else_clears_a_mark(name: str) -> None:
    assert reported(*CLEARS[name], store(range(8))) is None


REDUCE = (
    "vector tensor_reduce op add axes 1 dst <sbuf[0:32] at 96, [1 x 1], f32> data <sbuf[0:32] at {at}, [1 x {n}], f32>"
)


def test_a_reduction_says_what_it_mixed() -> None:
    text = reported(REDUCE.format(at=0, n=8), store(range(1)))
    assert text is not None and text.startswith("tensor_reduce on vector: data uses lanes")
    assert "elements 4..7 of 8, on partitions 0..31; dma_copy on sync takes what comes of them" in text
    assert reported(REDUCE.format(at=0, n=4), store(range(1))) is None
    assert reported(REDUCE.format(at=0, n=8)) is None
    text = reported(REDUCE.format(at=16, n=4), store(range(1)))
    assert text is not None and text.startswith("dma_copy on sync: src uses lanes")


def test_a_maximum_beside_a_choice_is_of_what_was_chosen() -> None:
    total = "reduce_res <sbuf[0:32] at 128, [1 x 1], f32>"
    choice = (
        f"vector select_reduce reduce_cmd reset_reduce {DST} {PREDICATE} on_true <sbuf[0:32] at 0, {TILE}>"
        f" on_false 1.0 : f32 {total}"
    )
    text = reported(FROM_4, choice, store(range(1), 128))
    assert text is not None and text.startswith("select_reduce on vector: on_true uses lanes")
    assert reported(BELOW_4, choice, store(range(1), 128)) is None


def test_logical_operators_are_decided_by_one_side() -> None:
    flags = (
        "vector tensor_scalar op0 greater dst <sbuf[0:32] at 72, [1 x 8], ui8> data <sbuf[0:32] at 0, [1 x 8], f32>"
        " operand0 0.0 : f32"
    )
    for inside, op, decided in ((BELOW_4, "logical_and", True), (FROM_4, "logical_and", False)):
        both = (
            f"vector tensor_tensor op {op} dst <sbuf[0:32] at 64, [1 x 8], ui8> data1 <sbuf[0:32] at 72, [1 x 8], ui8>"
            " data2 <sbuf[0:32] at 64, [1 x 8], ui8>"
        )
        chosen = f"vector tensor_copy {DST} src <sbuf[0:32] at 64, [1 x 8], ui8>"
        assert (reported(flags, inside, both, chosen, store(range(8))) is None) == decided


def test_a_transpose_moves_marks() -> None:
    turned = (
        "vector memset value 1.0 : f32 dst <sbuf[0:32] at 128, [1 x 32], f32>",
        f"vector tensor_copy dst <sbuf[0:32] at 128, {TILE}> {SRC}",
        "vector nc_transpose dst <sbuf[0:32] at 256, [1 x 32], f32> data <sbuf[0:32] at 128, [1 x 32], f32>",
    )
    out = 'sync dma_copy queue 0 dst <hbm "y" at 0, [8 x {n}, 1 x 8], f32> src <sbuf[{a}:{b}] at 256, [1 x 8], f32>'
    assert reported(*turned, out.format(n=4, a=0, b=4)) is None
    assert reported(*turned, out.format(n=24, a=8, b=32)) is None
    text = reported(*turned, out.format(n=4, a=4, b=8))
    assert text is not None and "elements 0..7 of 8, on partitions 4..7" in text


def _product(rows: str, moving: str) -> tuple[str, ...]:
    return (
        f"tensor load_stationary stationary <sbuf[{rows}, {TILE}>",
        f"tensor multiply_moving dst <psum[0:8] at 0, {TILE}> moving <sbuf[{moving}, {TILE}>",
        f"scalar activation op copy dst <sbuf[0:8] at 96, {TILE}> data <psum[0:8] at 0, {TILE}>",
    )


def test_a_product_mixes_partitions_not_columns() -> None:
    half = (
        f"vector memset value 1.0 : f32 dst <sbuf[0:64] at 128, {TILE}>",
        f'vector memset value 0.0 : f32 stands_for "undefined" dst <sbuf[32:64] at 128, {TILE}>',
        f"vector memset value 1.0 : f32 dst <sbuf[0:64] at 160, {TILE}>",
    )
    rows = 'sync dma_copy queue 0 dst <hbm "y" at 0, [8 x {n}, 1 x {m}], f32> src <sbuf[0:{n}] at 96, [1 x {m}], f32>'
    by_columns = _product("0:32] at 0", "0:32] at 0")
    assert reported(*half, *by_columns, rows.format(n=4, m=4)) is None
    assert reported(*half, *by_columns, rows.format(n=4, m=8)) is not None
    assert reported(*half, *by_columns, rows.format(n=8, m=4)) is not None
    weights = reported(*half, *_product("0:64] at 128", "0:64] at 160"), rows.format(n=4, m=4))
    assert weights is not None and weights.startswith("load_stationary on tensor: stationary uses lanes")
    assert "on partitions 32..63; dma_copy on sync" in weights and "a product adds all of them" in weights
    stream = reported(*half, *_product("0:64] at 160", "0:64] at 128"), rows.format(n=4, m=4))
    assert stream is not None and stream.startswith("multiply_moving on tensor: moving uses lanes")


def test_a_register_takes_no_undefined_value() -> None:
    text = reported("sync register_load dst 0 src <sbuf[0:1] at 16, [1 x 1], f32>")
    assert text is not None and text.startswith("register_load on sync: src uses lanes")
    assert reported("sync register_load dst 0 src <sbuf[0:1] at 0, [1 x 1], f32>") is None


def test_an_index_is_no_undefined_value() -> None:
    rows = 'gpsimd dma_copy queue 1 dst <sbuf[0:32] at 96, [1 x 8], f32> src <hbm "y" at 0, [8 x 32, 1 x 8], f32>'
    index = "gpsimd iota pattern [0, 1] offset 0 channel_multiplier 1 dst <sbuf[0:32] at 64, [1 x 1], i32>"
    assert reported(index, f"{rows} vector_offset <sbuf[0:32] at 64, [1 x 1], i32>", store(range(8))) is None
    text = reported(f"{rows} vector_offset <sbuf[0:32] at 16, [1 x 1], i32>", store(range(8)))
    assert text is not None and text.startswith("dma_copy on gpsimd: vector_offset uses lanes")


def test_other_instructions_use_all_of_a_partition() -> None:
    scan = (
        f"vector tensor_tensor_scan op0 multiply op1 add {DST} data0 <sbuf[0:32] at 0, {TILE}>"
        f" data1 <sbuf[0:32] at 0, {TILE}> initial 0.0 : f32"
    )
    text = reported(scan, store(LOW))
    assert text is not None and text.startswith("tensor_tensor_scan on vector: data0 uses lanes")


def test_what_is_only_unspecified_is_for_strict_checks() -> None:
    unspecified = STARTS[1].replace("undefined", "unspecified")
    lines = (STARTS[0], unspecified, store(range(8), at=0))
    run(*lines)
    run(*lines, checks=False)
    with pytest.raises(ExecutionError, match="no `other`; they read as zero here"):
        run(*lines, checks="strict")


def test_a_write_clears_marks_of_a_memset_that_is_not_yet_complete() -> None:
    """Writes of one engine complete in order, so that nothing makes the second wait for the first."""
    undefined, fill = STARTS[1].split(" ", 1)[1], STARTS[0].split(" ", 1)[1]
    body = (
        f"neuron.isa.stream vector {{\nneuron.isa.{undefined}\nneuron.isa.{fill} update <sem 0 add 1>\n}}\n"
        f"neuron.isa.stream sync {{\nneuron.isa.{store(range(8), at=0).split(' ', 1)[1]} wait <sem 0 reaches 1>\n}}"
    )
    y = np.zeros((ROWS, COLUMNS), np.float32)
    execute(program(body, "y: memref<32x8xf32>"), [y])
    assert (y == 1).all()
