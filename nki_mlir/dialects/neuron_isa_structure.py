"""What a program is made of: its tables, cores, streams and loops, and what every item of a stream has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeVar, cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolNameConstraint,
    i64,
)
from xdsl.ir import Block, Operation, Region
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    lazy_traits_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
)
from xdsl.traits import (
    HasParent,
    IsolatedFromAbove,
    MemoryWriteEffect,
    NoTerminator,
    RecursiveMemoryEffect,
    SymbolOpInterface,
)
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Access, Engine, EngineAttr, Space
from nki_mlir.dialects.dtypes import dtype, is_dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa_types import (
    AccessAttr,
    Comparison,
    ComparisonAttr,
    ExprAttr,
    UpdateAttr,
    WaitAttr,
)
from nki_mlir.dialects.table_ops import target_of

MOST_BYTES = 2**48
"""Of one tensor: what an address space has room for."""
MOST_ADDED = 2**31 - 1
"""What one update may add: no count of a run that ends can then leave 64 bits."""


T = TypeVar("T")


class SequencerOp(IRDLOperation):
    """What stands in a stream and issues: an instruction or a control instruction."""

    wait = opt_prop_def(WaitAttr)
    update = opt_prop_def(UpdateAttr)
    order = opt_prop_def(IntegerAttr.constr(i64))
    traits = lazy_traits_def(lambda: (MemoryWriteEffect(), HasParent(*_IN_STREAM)))

    @property
    def stream(self) -> StreamOp | None:
        stream = self.parent_op()
        while stream is not None and not isinstance(stream, StreamOp):
            stream = stream.parent_op()
        return stream

    @property
    def engine(self) -> Engine:
        return stream.engine.data if (stream := self.stream) is not None else Engine.SYNC

    @property
    def core(self) -> int:
        """The index of the core whose stream it stands in."""
        core = stream.parent_op() if (stream := self.stream) is not None else None
        return core.index.value.data if isinstance(core, CoreOp) else 0

    def expressions(self) -> Iterator[Expr]:
        """Every expression of the operation: addresses, wait, update, conditions."""
        for attribute in self.properties.values():
            match attribute:
                case AccessAttr(data=Access(address=Expr() as address)):
                    yield address
                case ExprAttr():
                    yield attribute.data
                case WaitAttr():
                    yield attribute.data.semaphore
                    yield attribute.data.value
                case UpdateAttr():
                    yield attribute.data.semaphore
                case _:
                    pass

    def verify_(self) -> None:
        for expression in self.expressions():
            verify_expression(self, expression)
        for used in (self.wait, self.update):
            if used is not None:
                verify_semaphore(self, used.data.semaphore)
        if self.update is None:
            return
        if self.update.data.amount < 1:
            raise VerifyException("an update adds at least 1")
        if self.update.data.amount > MOST_ADDED:
            raise VerifyException(f"an update adds at most {MOST_ADDED}, got {self.update.data.amount}")
        if self.update.data.core is not None:
            verify_core(self, self.update.data.core)


def verify_semaphore(op: Operation, number: Expr) -> None:
    semaphores = target_of(op).limits.semaphores
    if number.is_const and not 0 <= number.const < semaphores:
        raise VerifyException(f"semaphore {number} does not exist; a core has {semaphores}")


def verify_core(op: Operation, index: int) -> None:
    target = target_of(op)
    if not 0 <= index < target.cores_per_chip:
        raise VerifyException(f"core {index} does not exist; {target.name} has {target.cores_per_chip}")


def verify_expression(op: Operation, expression: Expr) -> None:
    """Counters are those of enclosing repeats, registers those that a sequencer has."""
    counters = expression.counters()
    depth = repeat_depth(op) if counters else 0
    for key in counters:
        if cast(int, key) >= depth:
            raise VerifyException(f"counter i{key} names no enclosing repeat; there are {depth}")
    for number in expression.registers():
        verify_register(op, number)


def verify_register(op: Operation, number: int) -> None:
    registers = target_of(op).limits.registers
    if not 0 <= number < registers:
        raise VerifyException(f"register r{number} does not exist; a sequencer has {registers}")


def verify_operand(op: Operation, name: str, expression: Expr) -> None:
    """A control instruction computes with immediates (which repeat counters are, too) and registers, not with more."""
    if expression.registers() and expression not in [Expr.register(number) for number in expression.registers()]:
        raise VerifyException(f"{name} is an immediate or one register, not {expression}")


def repeat_depth(op: Operation) -> int:
    depth, parent = 0, op.parent_op()
    while parent is not None and not isinstance(parent, StreamOp):
        depth += isinstance(parent, RepeatOp)
        parent = parent.parent_op()
    return depth


class _BodyOp(IRDLOperation):
    body = region_def()

    @property
    def items(self) -> list[Operation]:
        return _items(self.body)

    def verify_(self) -> None:
        _verify_region(self, self.body)


def _items(region: Region) -> list[Operation]:
    """What a region holds; one that is written `{}` has no block."""
    return [op for block in region.blocks for op in block.ops]


def _twice(items: Sequence[T]) -> T | None:
    """The first item that has been there before."""
    return next((item for number, item in enumerate(items) if item in items[:number]), None)


def _verify_region(parent: Operation, region: Region) -> None:
    for op in _items(region):
        if not isinstance(op, _HELD[type(parent)]):
            raise VerifyException(f"'{op.name}' has no place in {parent.name}")


class _InStream(_BodyOp):
    traits = lazy_traits_def(lambda: (NoTerminator(), RecursiveMemoryEffect(), HasParent(*_IN_STREAM)))


@irdl_op_definition
class RepeatOp(_InStream):
    """The body, `count` times over: text for the unrolled stream, not a loop of the machine. `loop` numbers the loop of
    the program; where the stream has it in several repeats, this one has iterations `first` and on `of` its trips."""

    name = "neuron.isa.repeat"
    count = prop_def(IntegerAttr.constr(i64))
    loop = opt_prop_def(IntegerAttr.constr(i64))
    first = opt_prop_def(IntegerAttr.constr(i64))
    trips = opt_prop_def(IntegerAttr.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$count (`loop` $loop^)? (`first` $first^ `of` $trips)? $body attr-dict"

    def __init__(
        self, count: int, ops: Sequence[Operation], loop: int | None = None, part: tuple[int, int] | None = None
    ):
        """`part` is the first iteration and the trips of the whole loop, where this is not all of it."""
        numbers = {"count": count, "loop": loop}
        if part is not None:
            numbers["first"], numbers["trips"] = part
        super().__init__(
            properties={name: None if n is None else IntegerAttr(n, i64) for name, n in numbers.items()},
            regions=[Region(Block(ops))],
        )

    @property
    def part(self) -> tuple[int, int]:
        """The first iteration of the program's loop that it runs, and how many that has."""
        if self.first is None or self.trips is None:
            return 0, self.count.value.data
        return self.first.value.data, self.trips.value.data

    def verify_(self) -> None:
        super().verify_()
        count = self.count.value.data
        if count < 1:
            raise VerifyException(f"a repeat runs at least once, got {count}")
        if (self.first is None) != (self.trips is None) or (self.first is not None and self.loop is None):
            raise VerifyException("a part of a loop has the number of the loop, the first iteration and the trips")
        first, trips = self.part
        if first < 0 or first + count > trips:
            raise VerifyException(f"iterations {first} to {first + count - 1} are not all among the loop's {trips}")


class RunTimeOp(_InStream):
    """Control flow of the sequencer. `region` numbers that of the program: streams that run it together have it under
    one number. `emit-streams` writes it for `insert-semaphores`, which removes it."""

    region = opt_prop_def(IntegerAttr.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)


@irdl_op_definition
class LoopOp(RunTimeOp):
    """A loop of the sequencer: register `counter` runs from 0 to below `bound`, read once at entry."""

    name = "neuron.isa.loop"
    counter = prop_def(IntegerAttr.constr(i64))
    bound = prop_def(ExprAttr)
    assembly_format = "`counter` $counter `bound` $bound (`region` $region^)? $body attr-dict"

    def verify_(self) -> None:
        super().verify_()
        verify_register(self, self.counter.value.data)
        verify_expression(self, self.bound.data)
        verify_operand(self, "bound", self.bound.data)


@irdl_op_definition
class WhileOp(RunTimeOp):
    """A loop of the sequencer that goes on until its register is 0; it asks before each iteration, the first too."""

    name = "neuron.isa.while"
    register = prop_def(IntegerAttr.constr(i64))
    assembly_format = "`register` $register (`region` $region^)? $body attr-dict"

    def verify_(self) -> None:
        super().verify_()
        register = self.register.value.data
        verify_register(self, register)
        if not any(register in _set_by(op) for op in self.body.walk()):
            raise VerifyException(f"nothing in the loop sets register r{register}, which ends it at 0")


def _set_by(op: Operation) -> set[int]:
    """The registers that an operation sets, what it holds aside."""
    numbers = [op.properties.get(name) for name in ("dst", "counter")]
    return {number.value.data for number in numbers if isinstance(number, IntegerAttr)}


@irdl_op_definition
class CmpBranchOp(RunTimeOp):
    """Runs the body if `op` holds between `src` and `imm`, each an immediate or a register, else what stands after
    `else`. Registers compare as signed 32-bit integers."""

    name = "neuron.isa.cmp_branch"
    op = prop_def(ComparisonAttr)
    src = opt_prop_def(ExprAttr)
    imm = opt_prop_def(ExprAttr)
    otherwise = region_def()
    assembly_format = "$op (`src` $src^)? (`imm` $imm^)? (`region` $region^)? $body (`else` $otherwise^)? attr-dict"

    @property
    def otherwise_items(self) -> list[Operation]:
        return _items(self.otherwise)

    def verify_(self) -> None:
        super().verify_()
        _verify_region(self, self.otherwise)
        compares = self.op.data is not Comparison.ALWAYS
        if compares and (self.src is None or self.imm is None):
            raise VerifyException(f"{self.op.data} compares src with imm")
        if not compares and (self.src is not None or self.imm is not None or self.otherwise.blocks):
            raise VerifyException("always compares nothing, and nothing stands after else")
        for name, operand in (("src", self.src), ("imm", self.imm)):
            if operand is not None:
                verify_expression(self, operand.data)
                verify_operand(self, name, operand.data)


@irdl_op_definition
class StreamOp(_BodyOp):
    """The instructions of one engine, in issue order."""

    name = "neuron.isa.stream"
    engine = prop_def(EngineAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = lazy_traits_def(lambda: (NoTerminator(), RecursiveMemoryEffect(), HasParent(CoreOp)))
    assembly_format = "$engine $body attr-dict"

    def __init__(self, engine: Engine, ops: Sequence[Operation]):
        super().__init__(properties={"engine": EngineAttr(engine)}, regions=[Region(Block(ops))])


@irdl_op_definition
class CoreOp(_BodyOp):
    """One NeuronCore's streams, at most one for each engine."""

    name = "neuron.isa.core"
    index = prop_def(IntegerAttr.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)
    traits = lazy_traits_def(lambda: (NoTerminator(), RecursiveMemoryEffect(), HasParent(ProgramOp)))
    assembly_format = "$index $body attr-dict"

    def __init__(self, index: int, streams: Sequence[Operation]):
        super().__init__(properties={"index": IntegerAttr(index, i64)}, regions=[Region(Block(streams))])

    def verify_(self) -> None:
        super().verify_()
        if (engine := _twice([s.engine.data for s in self.items if isinstance(s, StreamOp)])) is not None:
            raise VerifyException(f"a core has one stream for each engine, and {engine} has two")
        verify_core(self, self.index.value.data)


@irdl_op_definition
class TensorOp(IRDLOperation):
    """An HBM tensor: the program's arguments in order, then tensors of its own (`internal`). Tensors with one `alias`
    number may share memory."""

    name = "neuron.isa.tensor"
    sym = prop_def(StringAttr)
    type = prop_def(MemRefType)
    alias = opt_prop_def(IntegerAttr.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)
    traits = lazy_traits_def(lambda: (MemoryWriteEffect(), HasParent(ProgramOp)))
    assembly_format = "$sym `:` $type (`alias` $alias^)? attr-dict"

    def __init__(self, sym: str, type_: MemRefType, alias: int | None = None):
        super().__init__(
            properties={
                "sym": StringAttr(sym),
                "type": type_,
                "alias": None if alias is None else IntegerAttr(alias, i64),
            }
        )

    def verify_(self) -> None:
        if not self.type.has_static_shape() or not is_dtype(self.type.element_type):
            raise VerifyException(f"a tensor has a known shape and an element type of the machine, got {self.type}")
        if math.prod(self.type.get_shape()) * dtype(self.type.element_type).bytes > MOST_BYTES:
            raise VerifyException(f"a tensor has at most {MOST_BYTES} bytes, got {self.type}")


@irdl_op_definition
class BufferOp(IRDLOperation):
    """A line of the buffer table: `slots` slots of `bytes` on each of `partitions` from `start` (0) on, `stride`
    bytes apart where that is more, first and last used at these places of program order. Checks and reports read it;
    execution does not. It counts as a side effect so that it stays."""

    name = "neuron.isa.buffer"
    label = prop_def(StringAttr)
    space = prop_def(StringAttr)
    partitions = prop_def(IntegerAttr.constr(i64))
    start = opt_prop_def(IntegerAttr.constr(i64))
    address = prop_def(IntegerAttr.constr(i64))
    bytes = prop_def(IntegerAttr.constr(i64))
    slots = prop_def(IntegerAttr.constr(i64))
    stride = opt_prop_def(IntegerAttr.constr(i64))
    first = prop_def(IntegerAttr.constr(i64))
    last = prop_def(IntegerAttr.constr(i64))
    traits = lazy_traits_def(lambda: (MemoryWriteEffect(), HasParent(ProgramOp)))
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$label $space `partitions` $partitions (`from` $start^)? `at` $address `bytes` $bytes `slots` $slots"
        " (`stride` $stride^)? `used` $first `to` $last"
        " attr-dict"
    )

    @classmethod
    def of(cls, label: str, space: str, **numbers: int) -> BufferOp:
        """`numbers`: partitions, address, bytes, slots, first, last, stride where it isn't `bytes`, and start where it
        isn't 0."""
        integers = {key: IntegerAttr(value, i64) for key, value in numbers.items()}
        return cls.create(properties={"label": StringAttr(label), "space": StringAttr(space), **integers})

    def verify_(self) -> None:
        if self.space.data not in (Space.SBUF, Space.PSUM):
            raise VerifyException(f"a buffer lies in sbuf or psum, got {self.space.data}")
        numbers = {name: getattr(self, name).value.data for name in ("bytes", "slots", "partitions")}
        for name, value in numbers.items():
            if value < 1:
                raise VerifyException(f"a buffer has at least 1 of its {name}, got {value}")
        memory = target_of(self).memory
        size = memory.sbuf_bytes if self.space.data == Space.SBUF else memory.psum_bytes
        if self.first_partition < 0 or self.first_partition + numbers["partitions"] > memory.partitions:
            start = f" from {self.first_partition}" if self.first_partition else ""
            raise VerifyException(
                f"{self.space.data} has {memory.partitions} partitions, got {numbers['partitions']}{start}"
            )
        if self.distance < self.bytes.value.data:
            raise VerifyException(f"slots of {self.bytes.value.data} bytes cannot be {self.distance} bytes apart")
        first = self.address.value.data
        last = first + (numbers["slots"] - 1) * self.distance + numbers["bytes"] - 1
        if first < 0 or last >= size:
            raise VerifyException(
                f"the buffer's {numbers['slots']} slots take bytes {first}..{last} of each partition; {self.space.data}"
                f" has {size}"
            )

    @property
    def first_partition(self) -> int:
        return 0 if self.start is None else self.start.value.data

    @property
    def distance(self) -> int:
        """Bytes from one slot to the next."""
        return (self.bytes if self.stride is None else self.stride).value.data


@irdl_op_definition
class ProgramOp(_BodyOp):
    """A whole machine program. `grid` says how many programs of its kernel it runs, where there are several; `program`
    of a transfer is the number of one of them; with `by`, of a group of so many along each axis. Reports name them
    so."""

    name = "neuron.isa.program"
    sym_name = prop_def(SymbolNameConstraint())
    grid = opt_prop_def(DenseArrayBase.constr(i64))
    widths = opt_prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(NoTerminator(), RecursiveMemoryEffect(), IsolatedFromAbove(), SymbolOpInterface())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$sym_name (`grid` $grid^)? (`by` $widths^)? $body attr-dict"

    def __init__(self, name: str, ops: Sequence[Operation], grid: Sequence[int] = (), widths: Sequence[int] = ()):
        given = {"grid": grid, "widths": widths}
        shapes = {n: DenseArrayBase.from_list(i64, v) if v else None for n, v in given.items()}
        super().__init__(properties={"sym_name": StringAttr(name), **shapes}, regions=[Region(Block(ops))])

    def tensors(self) -> list[TensorOp]:
        return [op for op in self.items if isinstance(op, TensorOp)]

    def cores(self) -> list[CoreOp]:
        return [op for op in self.items if isinstance(op, CoreOp)]

    def verify_(self) -> None:
        super().verify_()
        names = [t.sym.data for t in self.tensors()]
        if (name := _twice(names)) is not None:
            raise VerifyException(f'two tensors have the name "{name}"')
        if (index := _twice([c.index.value.data for c in self.cores()])) is not None:
            raise VerifyException(f"two cores have the index {index}")
        if self.grid is not None and min(self.grid.get_values(), default=0) < 1:
            raise VerifyException(f"a grid is made of positive sizes, got {list(self.grid.get_values())}")
        if self.widths is not None:
            grid, widths = ([] if n is None else list(n.get_values()) for n in (self.grid, self.widths))
            if len(grid) != len(widths) or min(widths) < 1:
                raise VerifyException(f"groups of {widths} programs are none of a grid of {grid}")
        for op in self.body.walk():
            if self.grid is None and "program" in op.properties:
                raise VerifyException(f"{op.name} names a program, but there is no grid of them")
            for attribute in op.properties.values():
                if isinstance(attribute, AccessAttr) and attribute.data.tensor not in (None, *names):
                    raise VerifyException(f'{op.name} reaches tensor "{attribute.data.tensor}", which is not declared')


_IN_STREAM = (StreamOp, RepeatOp, LoopOp, WhileOp, CmpBranchOp)
"""What instructions stand in."""
_HELD: dict[type[Operation], tuple[type[Operation], ...]] = {
    ProgramOp: (TensorOp, BufferOp, CoreOp),
    CoreOp: (StreamOp,),
    **dict.fromkeys(_IN_STREAM, (SequencerOp, _InStream)),
}
"""What each operation with a body may hold."""
