"""Index arithmetic in addresses and masks: division as MLIR defines it or refused, strides, products, comparisons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from reference.builder import Kernel, Value
from reference.case import inside, matrix, random_array
from reference.levels import check_levels
from xdsl.dialects.builtin import f32
from xdsl.dialects.scf import ForOp
from xdsl.ir import Attribute

from nki_mlir import CompileError, ExecutionError, execute, parse, pipeline
from nki_mlir.analysis.indices import expr_of, is_known_early, range_of


def truncated(a: int, b: int) -> int:
    return -(-a // b) if a < 0 else a // b


DIVISIONS: dict[str, Callable[[int, int], int]] = {
    "divsi": truncated,
    "remsi": lambda a, b: a - b * truncated(a, b),
    "floordivsi": lambda a, b: a // b,
}
LENGTH = 64


def kernel(op: str, start: int, trips: int, scale: int, divisor: int) -> str:
    """For i of the loop: element `op(scale * i + start, divisor) + 32` of y is that of x."""
    return f"""
      func.func @f(%x: memref<{LENGTH}xf32>, %y: memref<{LENGTH}xf32>) {{
        %zero = arith.constant 0 : index
        %one = arith.constant 1 : index
        %trips = arith.constant {trips} : index
        %scale = arith.constant {scale} : index
        %start = arith.constant {start} : index
        %divisor = arith.constant {divisor} : index
        %middle = arith.constant {LENGTH // 2} : index
        scf.for %i = %zero to %trips step %one {{
          %scaled = arith.muli %i, %scale : index
          %n = arith.addi %scaled, %start : index
          %d = arith.{op} %n, %divisor : index
          %at = arith.addi %d, %middle : index
          %v = tile.read %x(%at) [s0 + d0 by 1] : memref<{LENGTH}xf32> -> tensor<1xf32>
          tile.write %v to %y(%at) [s0 + d0 by 1] : tensor<1xf32> -> memref<{LENGTH}xf32>
        }}
        func.return
      }}
    """


def run(op: str, start: int, trips: int, scale: int, divisor: int) -> bool:
    """Compares with Python; False if the kernel is refused."""
    x, y = np.arange(LENGTH, dtype=np.float32) + 1, np.zeros(LENGTH, np.float32)
    try:
        module = pipeline("lower-to-isa")(parse(kernel(op, start, trips, scale, divisor)))
    except CompileError:
        return False
    execute(module, [x, y])
    expected = np.zeros(LENGTH, np.float32)
    for i in range(trips):
        at = DIVISIONS[op](scale * i + start, divisor) + LENGTH // 2
        expected[at] = x[at]
    np.testing.assert_array_equal(y, expected)
    return True


@pytest.mark.parametrize("op", DIVISIONS)
@pytest.mark.parametrize("divisor", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("start", "scale"), [(0, 1), (5, 1), (3, 2), (6, 4), (20, -2)])
def test_of_what_is_not_negative(op: str, divisor: int, start: int, scale: int) -> None:
    assert run(op, start, 6, scale, divisor)


@pytest.mark.parametrize("op", DIVISIONS)
@pytest.mark.parametrize("divisor", [2, 3, 5])
@pytest.mark.parametrize(("start", "scale"), [(-5, 1), (-7, 2), (2, -3), (-1, 1)])
def test_of_what_may_be_negative(op: str, divisor: int, start: int, scale: int) -> None:
    """Repeats round down; what truncates is computed in a register."""
    assert run(op, start, 6, scale, divisor)


@pytest.mark.parametrize("op", DIVISIONS)
def test_of_constants_that_are_negative(op: str) -> None:
    run(op, -7, 1, 1, 2)
    run(op, -6, 2, 0, 4)


@pytest.mark.parametrize("op", ["divsi", "remsi"])
@pytest.mark.parametrize("divisor", [0, -2])
def test_by_what_is_not_positive(op: str, divisor: int) -> None:
    assert not run(op, 8, 4, 1, divisor)


def test_floors_by_what_is_negative() -> None:
    assert run("floordivsi", 8, 4, 1, -2)
    with pytest.raises(ExecutionError, match="division by zero"):
        run("floordivsi", 8, 4, 1, 0)


EXTREMES: dict[str, Callable[[int, int], int]] = {"minsi": min, "maxsi": max}


@pytest.mark.parametrize("op", EXTREMES)
@pytest.mark.parametrize(
    ("start", "scale", "other"), [(0, 1, 9), (12, 1, 5), (-4, 2, 6), (-4, -1, -20), (0, 3, 15), (5, 1, 5)]
)
def test_extremes(op: str, start: int, scale: int, other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one side is always the smaller, so that nothing is compared."""
    monkeypatch.setitem(DIVISIONS, op, EXTREMES[op])
    assert run(op, start, 6, scale, other)
    module = parse(kernel(op, start, 6, scale, other))
    (extreme,) = (inner for inner in module.walk() if inner.name == f"arith.{op}")
    assert is_known_early(expr_of(extreme.results[0]))


Spec = Sequence[tuple[Attribute, Sequence[int]]]
VECTORS: Spec = [(f32, [256]), (f32, [256])]


def agree(write: Callable[..., None], grid: tuple[int, ...] = (1,), specs: Spec = VECTORS) -> None:
    """A kernel means the same at every level."""
    kernel = Kernel(grid, specs)
    write(kernel, *kernel.args)
    rng = np.random.default_rng(7)
    check_levels(kernel.module(), [random_array(rng, *spec) for spec in specs], seeds=(None,))


def test_index_tensors() -> None:
    """Differences, scales, and a dimension of size 1 that is repeated."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        rows, columns, one = k.arange(8), k.arange(16), k.arange(1)
        at = rows.column() * 16 - columns.row() + 15
        k.store(out + at, k.load(x + (rows.column() * 8 + columns.row() * 2)))
        k.store(out + (k.arange(32) + 200), k.load(x + (one.broadcast((32,)) + k.arange(32))))
        k.store(out + (k.arange(16) + 240), k.load(x + one.broadcast((16,))))

    agree(write)


def test_one_element_for_all_rows() -> None:
    """A block of one element that is repeated is read once, whatever its stride says."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        one = k.load(x + (k.arange(1) + 3))
        at = k.arange(4).column() * 8 + k.arange(8).row()
        k.store(out + at, k.load(x + at) + one.row().broadcast((4, 8)))

    agree(write)


def test_a_computed_row_for_all_rows() -> None:
    """It has no place on every partition, so the columns lie on them."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        row = k.load(x + k.arange(16)) * 2.0
        at = k.arange(8).column() * 16 + k.arange(16).row()
        k.store(out + at, k.load(x + at) + row.row().broadcast((8, 16)))

    agree(write)


def test_a_column_for_all_columns() -> None:
    """A block of one column is read again for each column."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        rows = k.arange(8).column() * 16
        column = k.load(x + rows) * 2.0
        at = k.arange(8).column() * 16 + k.arange(16).row()
        k.store(out + at, k.load(x + at) + column.broadcast((8, 16)))
        k.store(out + (at + 128), column.broadcast((8, 16)))

    agree(write)


def test_a_transposed_block() -> None:
    """The dimension on the partitions is the other one of the transpose."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        rows, columns = k.arange(8), k.arange(16)
        tall = columns.column() * 8 + rows.row()
        k.store(out + tall, k.load(x + (rows.column() * 16 + columns.row())).T + k.load(x + tall))

    agree(write)


def test_a_product_of_indices() -> None:
    def write(k: Kernel, x: Value, out: Value) -> None:
        at = k.arange(8)
        k.store(out + at, k.load(x + at * at))

    agree(write)


def test_a_division_of_indices() -> None:
    """What stays below the divisor is itself or 0; what doesn't keeps no stride, and is gathered."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        at = k.arange(8)
        k.store(out + at, k.load(x + (at // 8 + at % 8)))

    agree(write)

    def crossing(k: Kernel, x: Value, out: Value) -> None:
        at = k.arange(16)
        k.store(out + at, k.load(x + at // 8))
        k.store(out + (at + 16), k.load(x + at % 5))

    agree(crossing)


def test_pointers() -> None:
    """Offsets that are added one after another add up."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        at, base = k.arange(16), k.program_id() * 64
        k.store((out + base) + at, k.load(((x + base) + at) + at))

    agree(write, grid=(4,))


@pytest.mark.parametrize("limit", [1, 63, 64, 65, 100, 127, 128])
def test_masks(limit: int) -> None:
    """Each comparison, from either side, at the edges of blocks; and one that a program id alone decides."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        at = k.program_id() * 64 + k.arange(64)
        masks = [at < limit, at <= limit, at * -1 > -limit, at * -1 >= -limit]
        for number, mask in enumerate(masks):
            k.store(out + (at + 128 * number), k.load(x + at), mask)
        alone = k.program_id() + k.arange(64) * 0
        k.store(out + (at + 512), k.load(x + at, alone < limit // 64), alone < limit // 64)

    agree(write, grid=(2,), specs=[(f32, [128]), (f32, [640])])


@pytest.mark.parametrize(("low", "high"), [(0, 128), (1, 127), (63, 65), (64, 128), (70, 71), (100, 60)])
def test_masks_with_two_ends(low: int, high: int) -> None:
    """What is read and written starts inside a block, ends inside one, or is empty; the rest stays as it was."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        at = k.program_id() * 64 + k.arange(64)
        k.store(out + at, k.load(x + at, at >= low, -3.0))
        k.store(out + (at + 128), k.load(x + at), at > low)
        both = (at >= low) & (at < high)
        k.store(out + (at + 256), k.load(x + at, both), at >= low)
        k.store(out + (at + 384), k.load(x + at), both)
        k.store(out + (at + 512), k.load(x + (at * -1 + 127), (at * -1 + 127 < high) & (at >= 10), 5.0))

    agree(write, grid=(2,), specs=[(f32, [128]), (f32, [640])])


@pytest.mark.parametrize("shift", [-20, -3, 0, 5, 20])
def test_masks_of_two_dimensions(shift: int) -> None:
    """A triangle, which is no box, read and written."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        rows, columns = k.arange(8).column(), k.arange(16).row()
        at = rows * 16 + columns
        below = rows.broadcast((8, 16)) + shift >= columns.broadcast((8, 16))
        k.store(out + at, k.load(x + at, below, 2.0))
        k.store(out + (at + 128), k.load(x + at), below)

    agree(write)


@pytest.mark.parametrize(("low", "high", "step"), [(0, 8, 1), (3, 20, 5), (-7, 4, 3), (-9, -1, 4)])
def test_the_range_of_a_counter(low: int, high: int, step: int) -> None:
    """Of a loop that has not been normalised: the first value and the last, both included."""
    module = parse(f"""
      func.func @f() {{
        %low = arith.constant {low} : index
        %high = arith.constant {high} : index
        %step = arith.constant {step} : index
        scf.for %i = %low to %high step %step {{
        }}
        func.return
      }}
    """)
    loop = next(op for op in module.walk() if isinstance(op, ForOp))
    values = range(low, high, step)
    assert range_of(loop.body.block.args[0]) == (values[0], values[-1])


@pytest.mark.parametrize("limit", [1, 5, 8, 9])
def test_masks_as_values(limit: int) -> None:
    """A mask that chooses between values is true in front of its limit."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        at = k.arange(8)
        v = k.load(x + at)
        k.store(out + at, k.where(at < limit, v, 7.0))

    agree(write)


def test_constants_on_the_left() -> None:
    def write(k: Kernel, x: Value, out: Value) -> None:
        at = k.arange(8)
        v = k.load(x + at)
        k.store(out + at, k.full((8,), 5.0, f32) - v)
        k.store(out + (at + 8), k.where(k.full((8,), 0.25, f32) < v, v, 0.0))

    agree(write)


@pytest.mark.parametrize("valid", [(8, 10), (8, 15), (5, 16), (3, 2), (0, 16)], ids=str)
def test_what_a_short_load_fills(valid: tuple[int, int]) -> None:
    """All that is not loaded, and nothing else, is the other value."""

    def write(k: Kernel, x: Value, out: Value) -> None:
        rows, columns = k.arange(8), k.arange(16)
        v = k.load(matrix(k, x, rows, columns, 16), inside(rows, columns, *valid), -3.0)
        k.store(matrix(k, out, rows, columns, 16), v * 2.0)

    agree(write)
