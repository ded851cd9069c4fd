"""Random kernels that mix masks, index tiles, branches and atomic operations: all levels agree, as NumPy says."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from reference.builder import Kernel, Value
from reference.levels import check_levels
from xdsl.dialects import scf
from xdsl.dialects.builtin import f32, i32
from xdsl.ir import Block, Region

from nki_mlir.dialects import tile

PROGRAMS, ROWS, COLUMNS = 3, 8, 6
SIZE = PROGRAMS * ROWS * COLUMNS


@dataclass
class _Writer:
    """Writes one kernel: `x` is read, `k` and `flags` are numbers, `y` is written, `z` updated by all programs."""

    rng: random.Random
    kernel: Kernel

    def write(self) -> None:
        k, (x, index, flags, y, z) = self.kernel, self.kernel.args
        pid = k.program_id()
        rows, columns = k.arange(ROWS), k.arange(COLUMNS)
        here = (pid * ROWS).broadcast((ROWS,)) + rows
        at = here.column() * COLUMNS + columns.row()
        named = k.load(index + here)
        places = self.places(at, named, rows, columns)
        value = k.load(x + places, self.mask(rows, columns, named, flags, pid), self.rng.choice([None, -1.0, 3.0]))
        result = self.choice(flags, pid, value)
        stored = self.rng.random() < 0.5
        mask = self.mask(rows, columns, named, flags, pid) if stored else None
        self.guarded(flags, pid, lambda: k.store(y + at, result, mask))
        if self.rng.random() < 0.5:
            kind = self.rng.choice([tile.Update.ADD, tile.Update.MAX, tile.Update.MIN])
            base = k.emit(tile.BaseOp(z.ssa))
            pointers = k.binary("+", base, rows.column() * COLUMNS + columns.row())
            held = self.mask(rows, columns, named, flags, pid)
            k.emit(tile.AtomicOp(kind, pointers.ssa, value.ssa, held.broadcast(value.shape).ssa if held else None))

    def places(self, at: Value, named: Value, rows: Value, columns: Value) -> Value:
        """Where the tile is read: its own place, rows that are named, single elements, or wrapped around."""
        kind = self.rng.randrange(4)
        if kind == 0:
            return at
        if kind == 1:
            return (named * COLUMNS).to(at.element).column() + columns.row()
        if kind == 2:
            return at * 5 % SIZE
        named = named.column().broadcast(at.shape)
        return ((at.to(i32) + named) % SIZE).to(at.element)

    def mask(self, rows: Value, columns: Value, named: Value, flags: Value, pid: Value) -> Value | None:
        """A conjunction of up to three conditions."""
        k, shape, found = self.kernel, (ROWS, COLUMNS), None
        flag = k.load(flags + pid)
        makers: list[Callable[[], Value]] = [
            lambda: (rows < self.rng.randrange(ROWS + 1)).column(),
            lambda: (columns >= self.rng.randrange(COLUMNS)).row(),
            lambda: rows.column() + columns.row() * -1 >= self.rng.randrange(-4, 4),
            lambda: (named > self.rng.randrange(ROWS)).column(),
            lambda: flag > 0,
            lambda: pid < self.rng.randrange(1, PROGRAMS + 1),
            lambda: columns.to(i32).row() < flag.broadcast((1, COLUMNS)),
        ]
        for maker in self.rng.sample(makers, self.rng.randrange(4)):
            one = maker().broadcast(shape)
            found = one if found is None else found & one
        return found

    def condition(self, flags: Value, pid: Value) -> Value:
        if self.rng.random() < 0.5:
            return self.kernel.load(flags + pid) > self.rng.randrange(-2, 3)
        return pid >= self.rng.randrange(PROGRAMS)

    def choice(self, flags: Value, pid: Value, value: Value) -> Value:
        """A value that an `if` gives, or the one that there is."""
        if self.rng.random() < 0.4:
            return value
        sides = [lambda: value * 2.0, lambda: value + 1.0]
        return self.branch(self.condition(flags, pid), sides[0], sides[1])

    def guarded(self, flags: Value, pid: Value, body: Callable[[], None]) -> None:
        if self.rng.random() < 0.5:
            body()
            return
        condition = self.condition(flags, pid)

        def inner() -> None:
            if self.rng.random() < 0.3:
                self.guarded(flags, pid, body)
            else:
                body()

        self.branch(condition, inner, lambda: None)

    def branch(self, condition: Value, then: Callable[[], Value | None], other: Callable[[], Value | None]) -> Value:
        """An `scf.if`; its result, if there is one."""
        k, blocks, types = self.kernel, [Block(), Block()], []
        outer = k.block
        for block, body in zip(blocks, (then, other), strict=True):
            k.block = block
            result = body()
            types = [] if result is None else [result.ssa.type]
            k.add(scf.YieldOp(*([] if result is None else [result.ssa])))
        k.block = outer
        made = k.add(scf.IfOp(condition.ssa, types, Region(blocks[0]), Region(blocks[1])))
        return Value(k, made.results[0]) if types else condition


@pytest.mark.parametrize("seed", range(5))
def test_random_accesses(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    shape = (SIZE,)
    kernel = Kernel(
        (PROGRAMS,), [(f32, shape), (i32, (PROGRAMS * ROWS,)), (i32, (PROGRAMS,)), (f32, shape), (f32, shape)]
    )
    _Writer(random.Random(seed), kernel).write()
    arrays = [
        numbers.integers(-50, 50, SIZE).astype(np.float32),
        numbers.integers(0, PROGRAMS * ROWS, PROGRAMS * ROWS).astype(np.int32),
        numbers.integers(-3, 4, PROGRAMS).astype(np.int32),
        numbers.integers(-50, 50, SIZE).astype(np.float32),
        numbers.integers(-50, 50, SIZE).astype(np.float32),
    ]
    check_levels(kernel.module(), arrays, seeds=(None, 1))
