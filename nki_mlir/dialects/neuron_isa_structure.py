"""What a program is made of: its tables, cores, streams and loops, and what every item of a stream has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from xdsl.dialects.builtin import (
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
from nki_mlir.dialects.dtypes import is_dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa_types import (
    AccessAttr,
    ExprAttr,
    UpdateAttr,
    WaitAttr,
)
from nki_mlir.dialects.table_ops import target_of


class SequencerOp(IRDLOperation):
    """What stands in a stream and issues: an instruction or a control instruction."""

    wait = opt_prop_def(WaitAttr)
    update = opt_prop_def(UpdateAttr)
    order = opt_prop_def(IntegerAttr.constr(i64))
    traits = lazy_traits_def(lambda: (MemoryWriteEffect(), HasParent(StreamOp, RepeatOp, LoopOp)))

    @property
    def engine(self) -> Engine:
        stream = self.parent_op()
        while stream is not None and not isinstance(stream, StreamOp):
            stream = stream.parent_op()
        return stream.engine.data if stream is not None else Engine.SYNC

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
        semaphores = target_of(self).limits.semaphores
        for used in (self.wait, self.update):
            if used is not None and used.data.semaphore.is_const and not 0 <= used.data.semaphore.const < semaphores:
                raise VerifyException(f"semaphore {used.data.semaphore} does not exist; a core has {semaphores}")
        if self.update is not None and self.update.data.amount < 1:
            raise VerifyException("an update adds at least 1")


def verify_expression(op: Operation, expression: Expr) -> None:
    """Counters are those of enclosing repeats, registers those that a sequencer has."""
    depth = repeat_depth(op)
    for key in expression.counters():
        if cast(int, key) >= depth:
            raise VerifyException(f"counter i{key} names no enclosing repeat; there are {depth}")
    for number in expression.registers():
        verify_register(op, number)


def verify_register(op: Operation, number: int) -> None:
    registers = target_of(op).limits.registers
    if not 0 <= number < registers:
        raise VerifyException(f"register r{number} does not exist; a sequencer has {registers}")


def repeat_depth(op: Operation) -> int:
    depth, parent = 0, op.parent_op()
    while parent is not None and not isinstance(parent, StreamOp):
        depth += isinstance(parent, RepeatOp)
        parent = parent.parent_op()
    return depth


class _BodyOp(IRDLOperation):
    body = region_def("single_block")

    @property
    def items(self) -> list[Operation]:
        return list(self.body.block.ops)

    def verify_(self) -> None:
        held = _HELD[type(self)]
        for op in self.body.block.ops:
            if not isinstance(op, held):
                raise VerifyException(f"'{op.name}' has no place in {self.name}")


class _InStream(_BodyOp):
    traits = lazy_traits_def(lambda: (NoTerminator(), RecursiveMemoryEffect(), HasParent(StreamOp, RepeatOp, LoopOp)))


@irdl_op_definition
class RepeatOp(_InStream):
    """The body, `count` times over: text for the unrolled stream, not a loop of the machine."""

    name = "neuron.isa.repeat"
    count = prop_def(IntegerAttr.constr(i64))
    loop = opt_prop_def(IntegerAttr.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$count (`loop` $loop^)? $body attr-dict"

    def __init__(self, count: int, ops: Sequence[Operation], loop: int | None = None):
        super().__init__(
            properties={
                "count": IntegerAttr(count, i64),
                "loop": None if loop is None else IntegerAttr(loop, i64),
            },
            regions=[Region(Block(ops))],
        )

    def verify_(self) -> None:
        super().verify_()
        if self.count.value.data < 1:
            raise VerifyException(f"a repeat runs at least once, got {self.count.value.data}")


@irdl_op_definition
class LoopOp(_InStream):
    """A loop of the sequencer: register `counter` runs from 0 to below `bound`, read once at entry."""

    name = "neuron.isa.loop"
    counter = prop_def(IntegerAttr.constr(i64))
    bound = prop_def(ExprAttr)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "`counter` $counter `bound` $bound $body attr-dict"

    def verify_(self) -> None:
        super().verify_()
        verify_register(self, self.counter.value.data)
        verify_expression(self, self.bound.data)


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
        engines = [s.engine.data for s in self.body.block.ops if isinstance(s, StreamOp)]
        if len(engines) != len(set(engines)):
            raise VerifyException("a core has one stream for each engine")
        target = target_of(self)
        if not 0 <= self.index.value.data < target.cores_per_chip:
            raise VerifyException(
                f"core {self.index.value.data} does not exist; {target.name} has {target.cores_per_chip}"
            )


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


@irdl_op_definition
class BufferOp(IRDLOperation):
    """A line of the buffer table: `slots` slots of `bytes` on each of `partitions`, first and last used at these places
    of program order. Reports read it; execution does not. It counts as a side effect so that it stays."""

    name = "neuron.isa.buffer"
    label = prop_def(StringAttr)
    space = prop_def(StringAttr)
    partitions = prop_def(IntegerAttr.constr(i64))
    address = prop_def(IntegerAttr.constr(i64))
    bytes = prop_def(IntegerAttr.constr(i64))
    slots = prop_def(IntegerAttr.constr(i64))
    first = prop_def(IntegerAttr.constr(i64))
    last = prop_def(IntegerAttr.constr(i64))
    traits = lazy_traits_def(lambda: (MemoryWriteEffect(), HasParent(ProgramOp)))
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$label $space `partitions` $partitions `at` $address `bytes` $bytes `slots` $slots `used` $first `to` $last"
        " attr-dict"
    )

    @classmethod
    def of(cls, label: str, space: str, **numbers: int) -> BufferOp:
        """`numbers`: partitions, address, bytes, slots, first, last."""
        integers = {key: IntegerAttr(value, i64) for key, value in numbers.items()}
        return cls.create(properties={"label": StringAttr(label), "space": StringAttr(space), **integers})

    def verify_(self) -> None:
        if self.space.data not in (Space.SBUF, Space.PSUM):
            raise VerifyException(f"a buffer lies in sbuf or psum, got {self.space.data}")


@irdl_op_definition
class ProgramOp(_BodyOp):
    """A whole machine program."""

    name = "neuron.isa.program"
    sym_name = prop_def(SymbolNameConstraint())
    traits = traits_def(NoTerminator(), RecursiveMemoryEffect(), IsolatedFromAbove(), SymbolOpInterface())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$sym_name $body attr-dict"

    def __init__(self, name: str, ops: Sequence[Operation]):
        super().__init__(properties={"sym_name": StringAttr(name)}, regions=[Region(Block(ops))])

    def tensors(self) -> list[TensorOp]:
        return [op for op in self.body.block.ops if isinstance(op, TensorOp)]

    def cores(self) -> list[CoreOp]:
        return [op for op in self.body.block.ops if isinstance(op, CoreOp)]

    def verify_(self) -> None:
        super().verify_()
        names = [t.sym.data for t in self.tensors()]
        if len(names) != len(set(names)):
            raise VerifyException("two tensors have one name")
        indices = [c.index.value.data for c in self.cores()]
        if len(indices) != len(set(indices)):
            raise VerifyException("two cores have one index")
        for op in self.body.walk():
            for attribute in op.properties.values():
                if isinstance(attribute, AccessAttr) and attribute.data.tensor not in (None, *names):
                    raise VerifyException(f'{op.name} reaches tensor "{attribute.data.tensor}", which is not declared')


_ISSUED = (SequencerOp, RepeatOp, LoopOp)
_HELD: dict[type[Operation], tuple[type[Operation], ...]] = {
    ProgramOp: (TensorOp, BufferOp, CoreOp),
    CoreOp: (StreamOp,),
    StreamOp: _ISSUED,
    RepeatOp: _ISSUED,
    LoopOp: _ISSUED,
}
"""What each operation with a body may hold."""
