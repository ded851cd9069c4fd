"""`neuron.isa`: how the machine is told. One instruction stream per engine of a core; nothing else is executable.

A `neuron.isa.program` declares its HBM tensors, lists its on-chip buffers for reports, and holds cores; a core holds
streams; a stream holds instructions, in the order in which its engine issues them. There are no SSA values: operands
are physical access patterns, registers and semaphores are numbers.

A `neuron.isa.repeat` is compressed text for an unrolled stream: expressions inside name the counters of the enclosing
repeats `i0`, `i1`, … from the outside in. A `neuron.isa.loop` is a loop of the sequencer: its bound is a register.

An instruction waits for at most one semaphore (`wait <sem 3 reaches 16 * i0>`) and updates at most one when it
completes (`update <sem 4 add 1>`); a `dma_copy` updates when its transfer completes, by 16. `order` is the place of an
instruction in program order: `emit-streams` writes it for `insert-semaphores`, which removes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import FloatAttr, IntegerAttr, MemRefType, StringAttr, SymbolNameConstraint, f32, i64
from xdsl.ir import Attribute, Block, Dialect, Operation, Region
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    irdl_op_definition,
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

from nki_mlir.dialects.access import Access, Engine, EngineAttr
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME, AluAttr, Instance, Instruction, check
from nki_mlir.dialects.neuron_isa_types import (
    AccessAttr,
    ExprAttr,
    Update,
    UpdateAttr,
    Wait,
    WaitAttr,
)
from nki_mlir.dialects.table_ops import build_ops, field_attr, field_format, field_value, target_of


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


_TAIL = " (`wait` $wait^)? (`update` $update^)? (`order` $order^)? attr-dict"


class IsaInstruction(SequencerOp):
    """An instruction of the table with physical operands."""

    @property
    def instruction(self) -> Instruction:
        return BY_NAME[self.name.rsplit(".", 1)[1]]

    def operand_named(self, name: str) -> Access | float | None:
        match self.properties.get(name):
            case AccessAttr(data=access):
                return access
            case FloatAttr() as number:
                return number.value.data
            case _:
                return None

    def accesses(self) -> dict[str, Access]:
        named = {o.name: self.operand_named(o.name) for o in self.instruction.operands}
        return {name: value for name, value in named.items() if isinstance(value, Access)}

    def fields(self) -> dict[str, Any]:
        return {f.name: field_value(self.properties.get(f.name)) for f in self.instruction.fields if f.kind != "expr"}

    def verify_(self) -> None:
        super().verify_()
        operands = {
            o.name: value for o in self.instruction.operands if (value := self.operand_named(o.name)) is not None
        }
        instance = Instance(self.instruction, self.engine, operands, self.fields(), target_of(self))
        if (reason := check(instance)) is not None:
            raise VerifyException(f"{self.instruction.name}: {reason}")


def _members(instruction: Instruction) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for operand in instruction.operands:
        constraint = AccessAttr if not operand.constant else base(AccessAttr) | FloatAttr.constr(base(Float32Type))
        members[operand.name] = (opt_prop_def if operand.optional else prop_def)(constraint)
    members |= {f.name: opt_prop_def(ExprAttr) for f in instruction.fields if f.kind == "expr"}
    return members


def _assembly(instruction: Instruction) -> str:
    parts = [field_format(f) for f in instruction.fields]
    for operand in instruction.operands:
        text = f"`{operand.name}` ${operand.name}"
        parts.append(f"({text}^)?" if operand.optional else text)
    return " ".join(parts) + _TAIL


INSTRUCTION_OPS: dict[str, type[IsaInstruction]] = build_ops("neuron.isa", IsaInstruction, _members, _assembly)


def instruction_op(
    name: str,
    operands: dict[str, Access | float | None],
    fields: dict[str, Any],
    wait: Wait | None = None,
    update: Update | None = None,
    order: int | None = None,
) -> IsaInstruction:
    """An instruction by its name in the table."""
    instruction = BY_NAME[name]
    properties: dict[str, Attribute | None] = {}
    for key, value in operands.items():
        properties[key] = (
            AccessAttr(value) if isinstance(value, Access) else None if value is None else FloatAttr(value, f32)
        )
    for f in instruction.fields:
        properties[f.name] = field_attr(f, fields.get(f.name))
    properties["wait"] = None if wait is None else WaitAttr(wait)
    properties["update"] = None if update is None else UpdateAttr(update)
    properties["order"] = None if order is None else IntegerAttr(order, i64)
    present = {k: v for k, v in properties.items() if v is not None}
    return INSTRUCTION_OPS[name].create(properties=present)


@irdl_op_definition
class EventSemaphoreOp(SequencerOp):
    """Waits and updates, and does nothing else: how a second wait is spelt."""

    name = "neuron.isa.event_semaphore"
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = _TAIL.strip()

    def verify_(self) -> None:
        super().verify_()
        if self.wait is None and self.update is None:
            raise VerifyException("an event_semaphore waits or updates")


class _RegisterOp(SequencerOp):
    dst = prop_def(IntegerAttr.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)

    def verify_(self) -> None:
        super().verify_()
        verify_register(self, self.dst.value.data)


@irdl_op_definition
class RegisterMoveOp(_RegisterOp):
    """Sets a register of this sequencer to an expression."""

    name = "neuron.isa.register_move"
    src = prop_def(ExprAttr)
    assembly_format = "`dst` $dst `src` $src" + _TAIL


@irdl_op_definition
class RegisterAluOp(_RegisterOp):
    """dst = op(src, imm) on 32-bit registers."""

    name = "neuron.isa.register_alu_op"
    op = prop_def(AluAttr)
    src = prop_def(ExprAttr)
    imm = prop_def(ExprAttr)
    assembly_format = "`op` $op `dst` $dst `src` $src `imm` $imm" + _TAIL


@irdl_op_definition
class RegisterLoadOp(_RegisterOp):
    """Loads one integer element of SBUF or HBM into a register."""

    name = "neuron.isa.register_load"
    src = prop_def(AccessAttr)
    assembly_format = "`dst` $dst `src` $src" + _TAIL

    def verify_(self) -> None:
        super().verify_()
        source = self.src.data
        if source.elements != 1:
            raise VerifyException(f"a register holds one element, src has {source.elements}")
        if source.space is Space.PSUM or source.element_type not in INTEGERS:
            raise VerifyException("a register is loaded with an integer from sbuf or hbm")


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
    traits = lazy_traits_def(
        lambda: (NoTerminator(), RecursiveMemoryEffect(), HasParent(StreamOp, RepeatOp, LoopOp))
    )


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


_STRUCTURE = (ProgramOp, TensorOp, BufferOp, CoreOp, StreamOp, RepeatOp, LoopOp)
_CONTROL = (EventSemaphoreOp, RegisterMoveOp, RegisterAluOp, RegisterLoadOp)
_ISSUED = (SequencerOp, RepeatOp, LoopOp)
_HELD: dict[type[Operation], tuple[type[Operation], ...]] = {
    ProgramOp: (TensorOp, BufferOp, CoreOp),
    CoreOp: (StreamOp,),
    StreamOp: _ISSUED,
    RepeatOp: _ISSUED,
    LoopOp: _ISSUED,
}
"""What each operation with a body may hold."""

NeuronIsa = Dialect(
    "neuron.isa",
    [*_STRUCTURE, *_CONTROL, *INSTRUCTION_OPS.values()],
    [ExprAttr, AccessAttr, WaitAttr, UpdateAttr],
)
