"""Random `neuron.engine` programs with run-time control flow: loops that go round as often as an element of SBUF says,
branches and whiles on elements, nested in each other and in loops of constant bounds, with offsets in registers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import numpy as np
from engine_programs import MOST_INSTANCES, Array, Generator, Program, View, _Scope

NUMBERS = 16
ELEMENT = "!neuron.engine.view<sbuf[0:1], [1 x 1], i32>"
ROW = f"!neuron.engine.buffer<sbuf, 1 x {4 * NUMBERS}>"
CELL = "!neuron.engine.buffer<sbuf, 1 x 4>"
ONE = 1
"""The number that all programs have at place 0."""


class RunTimeProgram(Program):
    """`numbers` is the last argument: int32, what run-time scalars are read from."""

    numbers: list[int]

    def arrays(self) -> list[Array]:
        return [*super().arrays(), np.array(self.numbers, np.int32)]


class RunTimeGenerator(Generator):
    """`run_time` has the names of values that are known at run time only."""

    def __init__(self, seed: int):
        super().__init__(seed)
        self.numbers = [ONE, *(self.random.choice((0, 0, 1, 1, 2, 3, 4)) for _ in range(NUMBERS - 1))]
        self.run_time: set[str] = set()

    def program(self) -> RunTimeProgram:
        self.line(f'%row = neuron.engine.alloc "row" : {ROW}')
        whole = f"!neuron.engine.view<sbuf[0:1], [1 x {NUMBERS}], i32>"
        self.line(f"%all = neuron.engine.view %row : {ROW} -> {whole}")
        memory, hbm = f"memref<{NUMBERS}xi32>", f"!neuron.engine.view<hbm, [1 x {NUMBERS}], i32>"
        self.line(f"%read = neuron.engine.view %numbers : {memory} -> {hbm}")
        self.line(
            f"neuron.engine.dma_copy {self.random.choice(('sync', 'gpsimd'))} queue 0 dst %all : {whole} src %read : {hbm}"
        )
        made = super().program()
        text = made.text.replace(") attributes", f", %numbers: {memory}) attributes", 1)
        text = text.replace('"], tile.aliases', '", "numbers"], tile.aliases', 1)
        text = re.sub(r"(tile.aliases = array<i64: [^>]*)>", rf"\1, {len(made.tensors) + 9}>", text, count=1)
        program = RunTimeProgram(text, made.seed, made.tensors, made.homes)
        program.numbers = self.numbers
        return program

    def value(self, text: str) -> str:
        name = super().value(text)
        if self.run_time.intersection(re.findall(r"%\w+", text)):
            self.run_time.add(name)
        return name

    def statement(self, depth: int) -> None:
        if depth < 3 and self.chance(0.25):
            self.random.choice((self.run_time_loop, self.run_time_loop, self.branch, self.branch, self.loop_while))(
                depth
            )
        else:
            super().statement(depth)

    def limit(self, count: int) -> str | None:
        """By counters of loops with constant bounds: of others it must be known when instructions are made."""
        scopes = self.scopes
        self.scopes = [replace(s, counters=[c for c in s.counters if c[0] not in self.run_time]) for s in scopes]
        found = super().limit(count)
        self.scopes = scopes
        return found

    def scalar(self, name: str | None = None) -> tuple[str, int]:
        """A number from the row, and what it is."""
        place = self.random.randrange(NUMBERS)
        at = f" at {self.constant(place)}" if place else ""
        view = super().value(f"neuron.engine.view %row{at} : {ROW} -> {ELEMENT}")
        found = super().value(f"neuron.engine.scalar {view} : {ELEMENT}")
        self.run_time.add(found)
        return found, self.numbers[place]

    @contextmanager
    def region(self, head: str, times: int, counters: list[tuple[str, int]] | None = None) -> Iterator[None]:
        self.line(head)
        self.scopes.append(_Scope(counters=counters or []))
        self.weight *= max(1, times)
        yield
        self.weight //= max(1, times)
        self.scopes.pop()

    def statements(self, depth: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.statement(depth + 1)

    def has_room(self, times: int) -> bool:
        return self.weight * times <= 40 and self.instances + 3 * self.weight * times <= MOST_INSTANCES

    def run_time_loop(self, depth: int) -> None:
        """From 0, from a constant, or from another number of the row; in steps of 1 or more."""
        bound, trips = self.scalar()
        low, first, step = self.constant(0), 0, 1
        if self.chance(0.3):
            first = self.random.randint(0, 2)
            low = self.constant(first)
        elif self.chance(0.3):
            low, first = self.scalar()
        if self.chance(0.3):
            step = self.random.randint(2, 3)
        times = len(range(first, trips, step))
        if not self.has_room(times):
            return
        counter, by = self.name(), self.constant(step)
        self.run_time.add(counter)
        with self.region(f"scf.for {counter} = {low} to {bound} step {by} {{", times, [(counter, max(trips, 2))]):
            self.statements(depth)
        self.line("}")

    def branch(self, depth: int) -> None:
        number, _ = self.scalar()
        word = self.random.choice(("eq", "ne", "slt", "sle", "sgt", "sge"))
        other = self.scalar()[0] if self.chance(0.3) else self.constant(self.random.randint(0, 3))
        condition = self.value(f"arith.cmpi {word}, {number}, {other} : index")
        with self.region(f"scf.if {condition} {{", 1):
            self.statements(depth)
        if self.chance(0.6):
            with self.region("} else {", 1):
                self.statements(depth)
        self.line("}")

    def loop_while(self, depth: int) -> None:
        """Counts a cell down to 0."""
        place = self.random.randrange(NUMBERS)
        times = self.numbers[place]
        if not self.has_room(times + 1):
            return
        cell, zero = self.value(f'neuron.engine.alloc "left" : {CELL}'), self.constant(0)
        left = View(self.value(f"neuron.engine.view {cell} : {CELL} -> {ELEMENT}"), ELEMENT)
        start = View(self.value(f"neuron.engine.view %row at {self.constant(place)} : {ROW} -> {ELEMENT}"), ELEMENT)
        one = View(self.value(f"neuron.engine.view %row : {ROW} -> {ELEMENT}"), ELEMENT)
        self.instruction(f"tensor_copy {self.random.choice(('vector', 'gpsimd'))} dst {left} src {start}")
        with self.region("scf.while () : () -> () {", times + 1):
            if self.chance(0.3):
                self.statement(depth + 1)
            number = super().value(f"neuron.engine.scalar {left}")
            self.run_time.add(number)
            self.line(f"scf.condition({self.value(f'arith.cmpi sgt, {number}, {zero} : index')})")
        with self.region("} do {", times):
            self.statements(depth)
            engine = self.random.choice(("vector", "gpsimd"))
            self.instruction(f"tensor_tensor {engine} op subtract dst {left} data1 {left} data2 {one}")
            self.line("scf.yield")
        self.line("}")

    def dma(self, dst: View, src: View, add: bool = False) -> None:
        if dst.name not in self.run_time and src.name not in self.run_time:
            return super().dma(dst, src, add)
        adds = "dst_rmw_op add " if add else ""
        self.instruction(f'dma_copy gpsimd queue 0 dge_mode "swdge" {adds}dst {dst} src {src}')


@cache
def run_time_program(seed: int) -> RunTimeProgram:
    return RunTimeGenerator(seed).program()
