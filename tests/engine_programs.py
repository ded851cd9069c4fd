"""Random `neuron.engine` programs: loops, buffers of several slots, overlapping views, every engine, DMA both ways.

A program is text and the arrays that it runs on. Whatever it reads has been written before, matmuls add small integers
only (so that their sums are exact in any order), and everything else is one rounding per element: two executions that
keep the program's order give the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from nki_mlir import parse

Array = NDArray[Any]

DATA, WHOLE = "f32", "bf16"
"""Element types: of data, and of matmul inputs, which hold small integers only."""
BYTES = {DATA: 4, WHOLE: 2}
ENGINES = ("sync", "gpsimd", "scalar", "vector", "tensor")
ELEMENTS = 2048
MOST_INSTANCES = 220


@dataclass(frozen=True)
class Tensor:
    """An argument in HBM: elements `start .. start + ELEMENTS` of the array `home`."""

    name: str
    element: str
    home: int
    start: int


@dataclass(frozen=True)
class Buffer:
    name: str
    space: str
    partitions: int
    columns: int
    element: str
    start: int = 0

    @property
    def type(self) -> str:
        return f"!neuron.engine.buffer<{self.space}, {self.partitions} x {self.columns * BYTES[self.element]}>"


@dataclass(frozen=True)
class View:
    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name} : {self.type}"


@dataclass(eq=False)
class Program:
    """The module's text; `arrays` makes new ones, in the order of its arguments, aliases sharing memory."""

    text: str
    seed: int
    tensors: list[Tensor]
    homes: list[tuple[str, int]]

    @cached_property
    def module(self) -> ModuleOp:
        """The text, read; pipelines work on a copy, and nothing else may change it."""
        return parse(self.text)

    def arrays(self) -> list[Array]:
        rng = np.random.default_rng(self.seed)
        homes: list[Array] = []
        for element, size in self.homes:
            if element == DATA:
                homes.append(rng.standard_normal(size).astype(np.float32))
            else:
                homes.append(rng.integers(-4, 5, size).astype(ml_dtypes.bfloat16))
        return [homes[t.home][t.start : t.start + ELEMENTS] for t in self.tensors]


@dataclass
class _Scope:
    buffers: list[Buffer] = field(default_factory=list)
    counters: list[tuple[str, int]] = field(default_factory=list)


class Generator:
    """Writes one program, from a seed."""

    def __init__(self, seed: int):
        self.seed, self.random = seed, random.Random(seed)
        self.lanes = random.Random(f"start partitions {seed}")
        self.lines: list[str] = []
        self.scopes = [_Scope()]
        self.names = 0
        self.instances, self.weight = 0, 1
        self.tensors, self.homes = self._tensors()

    # What there is.

    def _tensors(self) -> tuple[list[Tensor], list[tuple[str, int]]]:
        tensors: list[Tensor] = []
        homes: list[tuple[str, int]] = []
        for number in range(self.random.randint(2, 3)):
            tensors.append(Tensor(f"t{number}", DATA, len(homes), 0))
            homes.append((DATA, ELEMENTS))
        if self.random.random() < 0.4:
            start = self.random.choice((0, 96, ELEMENTS // 2))
            tensors.append(Tensor("alias", DATA, 0, start))
            homes[0] = (DATA, start + ELEMENTS)
        tensors.append(Tensor("whole", WHOLE, len(homes), 0))
        homes.append((WHOLE, ELEMENTS))
        return tensors, homes

    def program(self) -> Program:
        for _ in range(self.random.randint(1, 2)):
            self.allocate(DATA)
        while self.instances < MOST_INSTANCES // 3 and len(self.lines) < 150:
            self.statement(0)
        for tensor in self.tensors[:2]:
            self.store(tensor)
        arguments = ", ".join(f"%{t.name}: memref<{ELEMENTS}x{t.element}>" for t in self.tensors)
        names = ", ".join(f'"{t.name}"' for t in self.tensors)
        aliases = ", ".join(str(t.home) for t in self.tensors)
        head = (
            f"func.func @f({arguments}) attributes {{tile.arg_names = [{names}], tile.aliases = array<i64: {aliases}>}}"
        )
        body = "\n".join(f"  {line}" for line in self.lines)
        return Program(f"{head} {{\n{body}\n  func.return\n}}\n", self.seed, self.tensors, self.homes)

    # Text.

    def name(self) -> str:
        self.names += 1
        return f"%v{self.names}"

    def line(self, text: str) -> None:
        self.lines.append("  " * (len(self.scopes) - 1) + text)

    def value(self, text: str) -> str:
        name = self.name()
        self.line(f"{name} = {text}")
        return name

    def constant(self, value: int) -> str:
        return self.value(f"arith.constant {value} : index")

    def instruction(self, text: str) -> None:
        self.line(f"neuron.engine.{text}")
        self.instances += self.weight

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Numbers.

    def index(self, most: int, unit: int = 1) -> str | None:
        """A multiple of `unit` from 0 to `most`, perhaps changing with the loops; None for 0."""
        total: str | None = None
        for counter, trips in [c for s in self.scopes for c in s.counters]:
            if trips == 1 or self.chance(0.4):
                continue
            part, reach = counter, trips - 1
            if trips > 2 and self.chance(0.2):
                divisor = self.random.randint(2, trips - 1)
                op, reach = ("remsi", divisor - 1) if self.chance(0.6) else ("divsi", (trips - 1) // divisor)
                part = self.value(f"arith.{op} {part}, {self.constant(divisor)} : index")
            largest = most // reach // unit if reach else 0
            if largest < 1:
                continue
            step = unit * self.random.choice((1, largest, self.random.randint(1, largest)))
            most -= step * reach
            term = self.value(f"arith.muli {part}, {self.constant(step)} : index")
            total = term if total is None else self.value(f"arith.addi {total}, {term} : index")
        fixed = unit * self.random.randint(0, most // unit) if self.chance(0.5) else 0
        if fixed:
            number = self.constant(fixed)
            total = number if total is None else self.value(f"arith.addi {total}, {number} : index")
        return total

    def limit(self, count: int) -> str | None:
        """What may be less than `count`, or nothing, in some iterations; None for no limit."""
        counters = [c for s in self.scopes for c in s.counters if c[1] > 1]
        if not counters or self.chance(0.6):
            return None
        low = high = 0
        total: str | None = None
        for counter, trips in self.random.sample(counters, 2 if len(counters) > 1 and self.chance(0.3) else 1):
            step = self.random.choice((1, -1)) * self.random.randint(1, max(1, 2 * count // trips))
            low, high = low + min(0, step * (trips - 1)), high + max(0, step * (trips - 1))
            term = self.value(f"arith.muli {counter}, {self.constant(step)} : index")
            total = term if total is None else self.value(f"arith.addi {total}, {term} : index")
        shift = self.constant(self.random.randint(-high, count - low))
        return self.value(f"arith.addi {total}, {shift} : index")

    def clamped(self, limit: str, count: int) -> str:
        """A limit of 0 to `count`."""
        below = self.value(f"arith.minsi {limit}, {self.constant(count)} : index")
        return self.value(f"arith.maxsi {self.constant(0)}, {below} : index")

    # Buffers and views.

    def buffers(self, element: str, space: str = "sbuf") -> list[Buffer]:
        return [b for s in self.scopes for b in s.buffers if b.element == element and b.space == space]

    def pick(self, element: str, space: str = "sbuf") -> Buffer:
        """A buffer, a recent one more often."""
        found = self.buffers(element, space)
        if not found or (len(found) < 4 and self.chance(0.15)):
            return self.allocate(element)
        return found[-1] if self.chance(0.4) else self.random.choice(found)

    def new_buffer(self, space: str, partitions: int, columns: int, element: str) -> Buffer:
        start = 0
        if space == "sbuf" and element == DATA and self.lanes.random() < 0.4:
            start = self.lanes.choice(range(0, 128, 32 if partitions <= 32 else 64))
        buffer = Buffer(self.name(), space, partitions, columns, element, start)
        depth = self.random.choice((1, 2, 2, 3)) if len(self.scopes) > 1 else 1
        if space == "psum":
            depth = min(depth, 2)
        slots = f" {{depth = {depth} : i64}}" if depth > 1 else ""
        lanes = f" from {start}" if start else ""
        if depth > 1 and self.lanes.random() < 0.2:
            lanes += f" stride {self.lanes.choice((32, 64)) + columns * BYTES[element]}"
        self.line(f'{buffer.name} = neuron.engine.alloc "{buffer.name[1:]}"{lanes}{slots} : {buffer.type}')
        self.scopes[-1].buffers.append(buffer)
        return buffer

    def allocate(self, element: str) -> Buffer:
        """A new buffer, all of it written: by an engine, by a transfer, or by two of them."""
        buffer = self.new_buffer("sbuf", self.random.choice((32, 64, 64)), self.random.choice((8, 16, 24)), element)
        halves = [(0, buffer.partitions)]
        if self.chance(0.3):
            half = buffer.partitions // 2 if buffer.partitions == 64 else 32
            halves = [(s, half) for s in range(0, buffer.partitions, half)]
        for start, partitions in halves:
            view = self.chip(buffer, start, partitions, [(1, buffer.columns)], None)
            if element == WHOLE or self.chance(0.5):
                tensor = self.random.choice([t for t in self.tensors if t.element == element])
                self.dma(view, self.hbm(tensor, partitions, buffer.columns))
            else:
                value = self.random.randint(-8, 8) / 4
                self.instruction(f"memset {self.random.choice(('vector', 'gpsimd'))} value {value} : f32 dst {view}")
        return buffer

    def chip(
        self,
        buffer: Buffer,
        start: int,
        partitions: int,
        dims: list[tuple[int, int]],
        offset: str | None,
        limit: str = "",
    ) -> View:
        pattern = ", ".join(f"{step} x {count}" for step, count in dims)
        start += buffer.start
        type_ = f"!neuron.engine.view<{buffer.space}[{start}:{start + partitions}], [{pattern}], {buffer.element}>"
        at = f" at {offset}" if offset else ""
        return View(self.value(f"neuron.engine.view {buffer.name}{at}{limit} : {buffer.type} -> {type_}"), type_)

    def some(self, buffer: Buffer, partitions: int, columns: int, dma: bool = False, limit: str | None = None) -> View:
        """A view of that many partitions, or as `limit` says, and columns somewhere in the buffer."""
        room = buffer.partitions - partitions
        start = self.random.randint(0, room) if dma else self.random.randrange(0, room + 1, 32)
        if partitions > 32 and not dma:
            start = 0
        dims, reach = [(1, columns)], columns
        if columns % 2 == 0 and self.chance(0.3):
            gap = self.random.randint(0, max(0, buffer.columns - columns))
            dims, reach = [(columns // 2 + gap, 2), (1, columns // 2)], columns + gap
        elif 2 * columns - 1 <= buffer.columns and self.chance(0.3):
            dims, reach = [(2, columns)], 2 * columns - 1
        at = self.index(buffer.columns - reach)
        return self.chip(buffer, start, partitions, dims, at, f" limit dim 0 {limit}" if limit else "")

    def hbm(self, tensor: Tensor, rows: int, columns: int, limit: str | None = None) -> View:
        """A tile of a tensor: rows, of which `limit` is the number, apart by their length or a little more, or one
        run."""
        pitch = columns + self.random.choice((0, 0, 1, 8))
        if (rows - 1) * pitch + columns > ELEMENTS:
            pitch = columns
        dims = [(pitch, rows), (1, columns)]
        if pitch == columns and not limit and self.chance(0.3):
            dims = [(1, rows * columns)]
        unit = self.random.choice((1, columns))
        offset = self.index(ELEMENTS - (rows - 1) * pitch - columns, unit)
        pattern = ", ".join(f"{step} x {count}" for step, count in dims)
        type_ = f"!neuron.engine.view<hbm, [{pattern}], {tensor.element}>"
        at = (f" at {offset}" if offset else "") + (f" limit dim 0 {limit}" if limit else "")
        memory = f"memref<{ELEMENTS}x{tensor.element}>"
        return View(self.value(f"neuron.engine.view %{tensor.name}{at} : {memory} -> {type_}"), type_)

    # Statements.

    def statement(self, depth: int) -> None:
        choices = [
            (self.compute, 6),
            (self.load, 2),
            (self.store, 2),
            (self.product, 1),
            (self.rest, 1),
            (lambda: self.allocate(DATA), 1),
            (lambda: self.loop(depth), 4 if depth < 3 else 0),
        ]
        self.random.choices([c for c, _ in choices], [w for _, w in choices])[0]()

    @contextmanager
    def body(self, trips: int) -> Iterator[str]:
        """The lines inside are a loop's body; gives its counter."""
        low, high, step = self.constant(0), self.constant(trips), self.constant(1)
        counter = self.name()
        self.line(f"scf.for {counter} = {low} to {high} step {step} {{")
        self.scopes.append(_Scope(counters=[(counter, trips)]))
        self.weight *= trips
        yield counter
        self.weight //= trips
        self.scopes.pop()
        self.line("}")

    def loop(self, depth: int) -> None:
        trips = self.random.choice((1, 2, 2, 3, 3, 4, 5, 7))
        if self.weight * trips > 40 or self.instances + 3 * self.weight * trips > MOST_INSTANCES:
            return
        with self.body(trips):
            for _ in range(self.random.randint(1, 4)):
                self.statement(depth + 1)

    def dma(self, dst: View, src: View, add: bool = False) -> None:
        engine, queue = self.random.choice(ENGINES), self.random.choice((0, 0, 1))
        adds = "dst_rmw_op add " if add else ""
        self.instruction(f"dma_copy {engine} queue {queue} {adds}dst {dst} src {src}")

    def load(self) -> None:
        element = WHOLE if self.chance(0.1) else DATA
        buffer = self.pick(element)
        tensor = self.random.choice([t for t in self.tensors if t.element == element])
        partitions, columns = self.random.randint(1, buffer.partitions), self.random.randint(1, buffer.columns)
        add, limit = element == DATA and self.chance(0.1), self.limit(partitions)
        tile = self.some(buffer, partitions, columns, dma=True, limit=limit)
        self.dma(tile, self.hbm(tensor, partitions, columns, limit), add)

    def store(self, tensor: Tensor | None = None) -> None:
        buffer = self.pick(DATA)
        tensor = tensor or self.random.choice([t for t in self.tensors if t.element == DATA])
        partitions, columns = self.random.randint(1, buffer.partitions), self.random.randint(1, buffer.columns)
        add, limit = self.chance(0.1), self.limit(partitions)
        tile = self.some(buffer, partitions, columns, dma=True, limit=limit)
        self.dma(self.hbm(tensor, partitions, columns, limit), tile, add)

    def rest(self) -> None:
        """Fills the end of a buffer's rows."""
        buffer = self.pick(DATA)
        limit = self.limit(buffer.columns)
        if limit is None:
            return
        first = self.clamped(limit, buffer.columns)
        left = self.value(f"arith.subi {self.constant(buffer.columns)}, {first} : index")
        dst = self.chip(buffer, 0, 32, [(1, buffer.columns)], first, f" limit dim 1 {left}")
        self.instruction(f"memset {self.random.choice(('vector', 'gpsimd'))} value 2.0 : f32 dst {dst}")

    def compute(self) -> None:
        operands = [self.pick(DATA) for _ in range(3)]
        if self.chance(0.3):
            operands[1] = operands[0]
        partitions = min(b.partitions for b in operands)
        if self.chance(0.5):
            partitions = self.random.choice((32, self.random.randint(1, 32)))
        columns = self.random.randint(1, min(b.columns for b in operands))
        limit = self.limit(partitions)
        dst, a, b = (self.some(x, partitions, columns, limit=limit) for x in operands)
        column = self.some(operands[2], partitions, 1, limit=limit)
        op = self.random.choice(("add", "subtract", "multiply", "maximum"))
        words = self.random.choice(
            (
                f"tensor_tensor vector op {op} dst {dst} data1 {a} data2 {b}",
                f"tensor_tensor gpsimd op {'add' if op == 'maximum' else op} dst {dst} data1 {a} data2 {b}",
                f"tensor_scalar vector op0 {op} dst {dst} data {a} operand0 {column}",
                f"tensor_copy {self.random.choice(('vector', 'gpsimd'))} dst {dst} src {a}",
                f"activation scalar op {self.random.choice(('copy', 'copy', 'square'))} dst {dst} data {a}",
                f"activation scalar op copy dst {dst} data {a}",
                f"memset {self.random.choice(('vector', 'gpsimd'))} value {self.random.randint(-4, 4)}.0 : f32 dst {dst}",
            )
        )
        self.instruction(words)
        if self.chance(0.05):
            data = self.some(operands[1], partitions, 1, limit=limit)
            self.instruction(f"tensor_reduce vector op maximum axes 1 dst {column} data {data}")

    def product(self) -> None:
        """A group of matmuls into one PSUM buffer, and its way out."""
        k, m, n = self.random.choice((8, 32)), self.random.choice((16, 32)), self.random.choice((4, 8))
        made = [b for b in self.buffers(DATA, "psum") if b.partitions >= m and b.columns >= n]
        sums = self.random.choice(made) if made and self.chance(0.5) else self.new_buffer("psum", m, n, DATA)
        room = self.instances + 8 * self.weight * 3 < MOST_INSTANCES
        if self.chance(0.6) and room:
            with self.body(self.random.choice((2, 3))) as counter:
                self.matmul(sums, k, m, n, counter)
        else:
            self.matmul(sums, k, m, n, None)
            if self.chance(0.4):
                self.matmul(sums, k, m, n, self.constant(1))
        for _ in range(self.random.choice((1, 1, 2))):
            out = self.pick(DATA)
            dst, src = self.some(out, m, min(n, out.columns)), self.chip(sums, 0, m, [(1, min(n, out.columns))], None)
            words = self.random.choice(
                (
                    f"activation scalar op copy dst {dst} data {src}",
                    f"tensor_copy vector dst {dst} src {src}",
                    f"tensor_tensor vector op add dst {dst} data1 {src} data2 {dst}",
                )
            )
            self.instruction(words)
        if self.chance(0.2):
            whole = self.chip(sums, 0, m, [(1, n)], None)
            self.instruction(f"tensor_scalar vector op0 add dst {whole} data {whole} operand0 {self.column(m)}")

    def column(self, partitions: int) -> View:
        return self.some(self.pick(DATA), partitions, 1)

    def matmul(self, sums: Buffer, k: int, m: int, n: int, accumulate: str | None) -> None:
        stationary = self.new_whole(k, m)
        moving = self.new_whole(k, n)
        dst = self.chip(sums, 0, m, [(1, n)], None)
        flag = f"accumulate {accumulate} " if accumulate else ""
        self.instruction(f"nc_matmul tensor {flag}dst {dst} stationary {stationary} moving {moving}")
        self.instances += self.weight

    def new_whole(self, partitions: int, columns: int) -> View:
        """A view of integers: of a buffer there is, or of one that is loaded for it."""
        found = [b for b in self.buffers(WHOLE) if b.columns >= columns]
        if found and self.chance(0.6):
            buffer = self.random.choice(found)
        else:
            buffer = self.new_buffer("sbuf", 32, columns + self.random.choice((0, 8)), WHOLE)
            view = self.chip(buffer, 0, 32, [(1, buffer.columns)], None)
            tensor = next(t for t in self.tensors if t.element == WHOLE)
            self.dma(view, self.hbm(tensor, 32, buffer.columns))
            if self.chance(0.3):
                self.instruction(f"activation scalar op copy dst {view} data {view}")
        return self.chip(buffer, 0, partitions, [(1, columns)], self.index(buffer.columns - columns))


@cache
def program(seed: int) -> Program:
    return Generator(seed).program()
