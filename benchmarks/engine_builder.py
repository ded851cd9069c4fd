"""Writes programs of `neuron.engine` by hand: tensors in HBM, buffers, views, loops, and instructions by their name in
the table. The project's own passes lower them.

    k = Kernel("trn1")
    x, y = k.tensor("x", (4096, 512)), k.tensor("y", (4096, 512))
    with k.loop(32) as i:
        tile = k.sbuf(512, depth=2)
        k.dma(tile, x.box(i * 128, 128, 0, 512))
        k.op("activation", op="exp", dst=tile, data=tile)
        k.dma(y.box(i * 128, 128, 0, 512), tile, by="gpsimd")
    module = k.lower()

Program order is the meaning. A buffer that is made in a loop is a fresh one in each iteration, `depth` of which are
there at once; one made outside is one buffer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import (
    ArrayAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    f32,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir import pipeline
from nki_mlir.analysis.lifetimes import capacity
from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.instructions import BY_NAME, Alu, Field, Function, ReduceCommand
from nki_mlir.dialects.neuron_engine import AllocOp, ViewOp, instruction_op
from nki_mlir.dialects.neuron_engine_views import extent
from nki_mlir.dialects.table_ops import TARGET
from nki_mlir.dialects.tile import ARG_NAMES
from nki_mlir.targets import Target, load

ENUMS = {"alu": Alu, "function": Function, "command": ReduceCommand}

GENERATORS = ("sync", "scalar")
"""Engines with a hardware descriptor generator, on the cores that have any."""


@dataclass(frozen=True)
class Index:
    """A loop counter, or what is computed from some."""

    kernel: Kernel
    value: SSAValue

    def __add__(self, other: At) -> Index:
        return self._binary(arith.AddiOp, other)

    def __mul__(self, other: At) -> Index:
        return self._binary(arith.MuliOp, other)

    def __floordiv__(self, other: At) -> Index:
        return self._binary(arith.DivSIOp, other)

    def __mod__(self, other: At) -> Index:
        return self._binary(arith.RemSIOp, other)

    __radd__, __rmul__ = __add__, __mul__

    def _binary(self, op: type[arith.AddiOp | arith.MuliOp | arith.DivSIOp | arith.RemSIOp], other: At) -> Index:
        return Index(self.kernel, self.kernel.emit(op(self.value, self.kernel.index(other))).results[0])


At = Index | int
"""A position in elements, partitions or iterations."""


@dataclass(frozen=True)
class View:
    """The elements that an instruction reaches: on chip `dims` on each of the partitions `start .. start +
    partitions`, in HBM `dims` alone, from element `offset` of the buffer or tensor on."""

    kernel: Kernel
    source: SSAValue
    access: Access
    offset: At = 0

    def cols(self, first: At, count: int, step: int = 1) -> View:
        """Columns of a buffer, from element `first` of each partition on."""
        return self.at(first, (step, count))

    def rows(self, start: int, count: int) -> View:
        """Some of the partitions."""
        access = self.access
        return replace(self, access=replace(access, start=access.start + start, partitions=count))

    def at(self, offset: At, *dims: Dim) -> View:
        """Any pattern of (step, count), from an element on."""
        moved = offset if self.offset == 0 else self.offset + offset if offset != 0 else self.offset
        return replace(self, offset=moved, access=replace(self.access, dims=dims))


@dataclass(frozen=True)
class Tensor:
    """An argument of the kernel, row-major in HBM."""

    kernel: Kernel
    source: SSAValue
    shape: tuple[int, ...]
    type: Attribute

    def box(self, row: At, rows: int, column: At, columns: int) -> View:
        """A tile of a tensor seen as [rows, last dimension]."""
        pitch = self.shape[-1]
        return self.at(row * pitch + column, (pitch, rows), (1, columns))

    def at(self, offset: At, *dims: Dim) -> View:
        """Any pattern of (step, count), from an element on."""
        return View(self.kernel, self.source, Access(Space.HBM, self.type, dims), offset)


Argument = View | At | float | str | bool | Sequence[int]
"""An operand or a field of an instruction."""


class Kernel:
    """A function of `neuron.engine` in the making. Element types have the names of `dialects/dtypes.py`."""

    def __init__(self, target: str, name: str = "kernel", dge: bool = False):
        self.target, self.name, self.dge = target, name, dge
        self.names: list[str] = []
        self.body = Block()
        self.blocks = [self.body]
        self.buffers = 0

    def emit(self, op: Operation) -> Operation:
        self.blocks[-1].add_op(op)
        return op

    def index(self, at: At) -> SSAValue:
        if isinstance(at, Index):
            return at.value
        return self.emit(arith.ConstantOp(IntegerAttr(at, IndexType()))).results[0]

    def tensor(self, name: str, shape: Sequence[int], kind: str = "float32") -> Tensor:
        element = by_name(kind).type
        self.names.append(name)
        argument = self.body.insert_arg(MemRefType(element, shape), len(self.body.args))
        return Tensor(self, argument, tuple(shape), element)

    def sbuf(
        self, columns: int, kind: str = "float32", partitions: int = 128, depth: int = 1, address: int | None = None
    ) -> View:
        """A buffer of `depth` slots, at a byte address or wherever the compiler puts it."""
        return self._buffer(Space.SBUF, columns, kind, partitions, depth, address)

    def psum(self, columns: int, kind: str = "float32", partitions: int = 128, depth: int = 1) -> View:
        return self._buffer(Space.PSUM, columns, kind, partitions, depth, None)

    def _buffer(self, space: Space, columns: int, kind: str, partitions: int, depth: int, address: int | None) -> View:
        element = by_name(kind)
        self.buffers += 1
        alloc = AllocOp(space, partitions, columns * element.bytes, f"b{self.buffers}")
        alloc.properties["depth"] = IntegerAttr(depth, i64)
        if address is not None:
            alloc.properties["address"] = IntegerAttr(address, i64)
        self.emit(alloc)
        return View(self, alloc.result, Access(space, element.type, ((1, columns),), 0, partitions))

    @contextmanager
    def loop(self, trips: int) -> Iterator[Index]:
        """What is built inside is the body of a loop; gives its counter."""
        low, high, step = self.index(0), self.index(trips), self.index(1)
        body = Block(arg_types=[IndexType()])
        self.blocks.append(body)
        yield Index(self, body.args[0])
        self.emit(scf.YieldOp())
        self.blocks.pop()
        self.emit(scf.ForOp(low, high, step, [], body))

    def op(self, name: str, engine: str | None = None, **arguments: Argument | None) -> None:
        """An instruction of the table: views and immediates by operand, the rest by field."""
        instruction = BY_NAME[name]
        operands = {o.name: self._operand(arguments.pop(o.name, None)) for o in instruction.operands}
        fields: dict[str, Any] = {}
        for field in instruction.fields:
            value: Any = arguments.pop(field.name, None)
            if field.kind == "expr":
                operands[field.name] = None if value is None else self.index(value)
            elif value is not None:
                fields[field.name] = _field(field, value)
        if arguments:
            raise TypeError(f"{name} has no {', '.join(arguments)}")
        self.emit(instruction_op(name, None if engine is None else Engine(engine), operands, fields))

    def _operand(self, value: Any) -> SSAValue | None:
        if value is None:
            return None
        if isinstance(value, View):
            offset = None if value.offset == 0 else self.index(value.offset)
            return self.emit(ViewOp(value.source, value.access, offset)).results[0]
        return self.emit(arith.ConstantOp(FloatAttr(float(value), f32))).results[0]

    def dma(self, dst: View, src: View, by: str = "sync", queue: int = 0) -> None:
        """A transfer that the engine `by` triggers. Of a kernel with `dge`, a hardware generator makes the descriptors
        where the engine has one."""
        mode = "hwdge" if self.dge and by in GENERATORS else None
        self.op("dma_copy", by, dst=dst, src=src, queue=queue, dge_mode=mode)

    def matmul(
        self, dst: View, stationary: View, moving: View, accumulate: At = 0, perf_mode: str | None = None
    ) -> None:
        """dst (+)= stationary^T moving: overwrites where `accumulate` is 0."""
        self.op(
            "nc_matmul",
            dst=dst,
            stationary=stationary,
            moving=moving,
            accumulate=accumulate,
            perf_mode=perf_mode,
        )

    def module(self) -> ModuleOp:
        """The program at neuron.engine. The kernel is used up."""
        self.emit(ReturnOp())
        func = FuncOp(self.name, ([a.type for a in self.body.args], []), Region(self.body))
        func.attributes[ARG_NAMES] = ArrayAttr([StringAttr(n) for n in self.names])
        return ModuleOp([func], {TARGET: StringAttr(self.target)})

    def lower(self) -> ModuleOp:
        """The program at neuron.isa. The kernel is used up. Buffers that fit beside each other share no bytes: reuse
        would make instructions wait that have nothing to do with each other."""
        module = self.module()
        allocs = [op for op in module.walk() if isinstance(op, AllocOp)]
        for space in (Space.SBUF, Space.PSUM):
            _spread([a for a in allocs if a.buffer.space is space], load(self.target), space)
        return pipeline("allocate,engine-to-isa")(module)


def _spread(allocs: list[AllocOp], target: Target, space: Space) -> None:
    sizes = [extent(a, target) for a in allocs]
    if sum(sizes) <= capacity(target, space) and all(a.address is None for a in allocs):
        for alloc, end, size in zip(allocs, accumulate(sizes), sizes, strict=True):
            alloc.properties["address"] = IntegerAttr(end - size, i64)


def _field(field: Field, value: Any) -> Any:
    if field.kind in ENUMS:
        return ENUMS[field.kind](value)
    return value
