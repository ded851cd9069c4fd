"""`neuron.isa`: how the machine is told. One instruction stream per engine of a core; nothing else is executable.

A `neuron.isa.program` declares its HBM tensors, lists its on-chip buffers for reports, and holds cores; a core holds
streams; a stream holds instructions, in the order in which its engine issues them. There are no SSA values: operands
are physical access patterns, registers and semaphores are numbers.

A `neuron.isa.repeat` is compressed text for an unrolled stream: expressions inside name the counters of the enclosing
repeats `i0`, `i1`, … from the outside in. `neuron.isa.loop`, `neuron.isa.while` and `neuron.isa.cmp_branch` are control
flow of the sequencer: what they ask for is in registers. Control instructions compute with immediates and registers;
addresses and semaphores may be affine in both.

An instruction waits for at most one semaphore (`wait <sem 3 reaches 16 * i0>`) and updates at most one when it
completes (`update <sem 4 add 1>`); a transfer (`dma_copy` and others) updates when it is complete, by 16. Semaphores
are those of the instruction's own core; an update may name another's (`update <core 1 sem 4 add 1>`). `order` is the
place of an instruction in program order, `loop` and `region` number the loops and the run-time control flow of the
program: `emit-streams` writes them for `insert-semaphores`, which removes them. `program`
of a transfer is the number of the program of the kernel's grid that it belongs to; only reports read it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from xdsl.dialects.builtin import (
    Float32Type,
    FloatAttr,
    IntegerAttr,
    f32,
    i64,
)
from xdsl.ir import Attribute, Dialect
from xdsl.irdl import (
    ParsePropInAttrDict,
    base,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.alu import REGISTER_ALUS
from nki_mlir.dialects.dtypes import DTYPES, by_name, dtype
from nki_mlir.dialects.instructions import BY_NAME, AluAttr, Instance, Instruction, check
from nki_mlir.dialects.neuron_isa_structure import (  # noqa: F401
    BufferOp,
    CmpBranchOp,
    CoreOp,
    LoopOp,
    ProgramOp,
    RepeatOp,
    RunTimeOp,
    SequencerOp,
    StreamOp,
    TensorOp,
    WhileOp,
    repeat_depth,
    verify_expression,
    verify_operand,
    verify_register,
    verify_semaphore,
)
from nki_mlir.dialects.neuron_isa_types import (  # noqa: F401
    AccessAttr,
    Comparison,
    ComparisonAttr,
    ExprAttr,
    Update,
    UpdateAttr,
    Wait,
    WaitAttr,
)
from nki_mlir.dialects.table_ops import TableOp, build_ops, field_attr, field_format, field_value, target_of
from nki_mlir.targets import Target

_PROGRAM = " (`program` $program^)?"
_TAIL = " (`wait` $wait^)? (`update` $update^)? (`order` $order^)? attr-dict"


class IsaInstruction(TableOp, SequencerOp):
    """An instruction of the table with physical operands."""

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

    def instance(self, target: Target | None = None) -> Instance:
        """This occurrence, as rules and costs see it, on the module's chip if no other is named."""
        named = {o.name: self.operand_named(o.name) for o in self.instruction.operands}
        operands = {name: value for name, value in named.items() if value is not None}
        return Instance(self.instruction, self.engine, operands, self.fields(), target or target_of(self))

    def verify_(self) -> None:
        super().verify_()
        if (reason := check(self.instance())) is not None:
            raise VerifyException(f"{self.instruction.name}: {reason}")


def _members(instruction: Instruction) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for operand in instruction.operands:
        constraint = AccessAttr if not operand.constant else base(AccessAttr) | FloatAttr.constr(base(Float32Type))
        members[operand.name] = (opt_prop_def if operand.optional else prop_def)(constraint)
    members |= {f.name: opt_prop_def(ExprAttr) for f in instruction.fields if f.kind == "expr"}
    if instruction.is_transfer:
        members["program"] = opt_prop_def(ExprAttr)
    return members


def _assembly(instruction: Instruction) -> str:
    parts = [field_format(f) for f in instruction.fields]
    for operand in instruction.operands:
        text = f"`{operand.name}` ${operand.name}"
        parts.append(f"({text}^)?" if operand.optional else text)
    return " ".join(parts) + (_PROGRAM if instruction.is_transfer else "") + _TAIL


INSTRUCTION_OPS: dict[str, type[IsaInstruction]] = build_ops("neuron.isa", IsaInstruction, _members, _assembly)


def instruction_op(
    name: str,
    operands: Mapping[str, Access | float | None],
    fields: Mapping[str, Any],
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
    """Sets a register of this sequencer."""

    name = "neuron.isa.register_move"
    src = prop_def(ExprAttr)
    assembly_format = "`dst` $dst `src` $src" + _TAIL

    def verify_(self) -> None:
        super().verify_()
        verify_operand(self, "src", self.src.data)


@irdl_op_definition
class RegisterAluOp(_RegisterOp):
    """dst = op(src, imm) on 32-bit integers: a register, or an immediate, with an immediate."""

    name = "neuron.isa.register_alu_op"
    op = prop_def(AluAttr)
    src = prop_def(ExprAttr)
    imm = prop_def(ExprAttr)
    assembly_format = "`op` $op `dst` $dst `src` $src `imm` $imm" + _TAIL

    def verify_(self) -> None:
        super().verify_()
        verify_operand(self, "src", self.src.data)
        if self.imm.data.registers():
            raise VerifyException(f"imm is an immediate, not {self.imm.data}")
        if self.op.data not in REGISTER_ALUS:
            raise VerifyException(f"registers have no operator {self.op.data}")


def _verify_element(name: str, access: Access, dtypes: Collection[str]) -> None:
    """One element in SBUF or HBM that a register holds."""
    if access.elements != 1:
        raise VerifyException(f"a register holds one element, {name} has {access.elements}")
    if access.space is Space.PSUM:
        raise VerifyException(f"a sequencer reaches sbuf and hbm; {name} is in psum")
    if access.element_type not in [by_name(d).type for d in dtypes]:
        raise VerifyException(f"{name} must be one of {', '.join(dtypes)}, not {dtype(access.element_type).name}")


@irdl_op_definition
class RegisterLoadOp(_RegisterOp):
    """Loads one element of SBUF or HBM into a register: an integer extended to 32 bits, or the bits of a float."""

    name = "neuron.isa.register_load"
    src = prop_def(AccessAttr)
    assembly_format = "`dst` $dst `src` $src" + _TAIL

    def verify_(self) -> None:
        super().verify_()
        core = target_of(self).core
        numbers = [d.name for d in DTYPES if d.kind in ("float", "int", "uint") and core in d.cores]
        _verify_element("src", self.src.data, numbers)


@irdl_op_definition
class RegisterStoreOp(SequencerOp):
    """Stores the 32 bits of a register in one element of SBUF or HBM."""

    name = "neuron.isa.register_store"
    dst = prop_def(AccessAttr)
    src = prop_def(ExprAttr)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "`dst` $dst `src` $src" + _TAIL

    def verify_(self) -> None:
        super().verify_()
        verify_operand(self, "src", self.src.data)
        _verify_element("dst", self.dst.data, ("int32", "uint32", "float32"))


@irdl_op_definition
class RankIdOp(_RegisterOp):
    """dst = the index of this core on its chip."""

    name = "neuron.isa.rank_id"
    assembly_format = "`dst` $dst" + _TAIL


@irdl_op_definition
class CoreBarrierOp(SequencerOp):
    """Raises a semaphore of the pair's other core by 1 when the instructions before it on this engine are complete,
    then waits for the own core's semaphore of that number to reach `value`: the barriers on it so far. `wait` comes
    before, `update` after. Both cores of a pair, which are 2n and 2n + 1, execute it on an engine of their own."""

    name = "neuron.isa.core_barrier"
    semaphore = prop_def(ExprAttr)
    value = prop_def(ExprAttr)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "`sem` $semaphore `reaches` $value" + _TAIL

    @property
    def other_core(self) -> int:
        return self.core ^ 1

    def verify_(self) -> None:
        super().verify_()
        verify_semaphore(self, self.semaphore.data)
        if not (target := target_of(self)).features.core_barrier:
            raise VerifyException(f"core_barrier needs NeuronCore-v3; {target.name} is {target.core}")


_STRUCTURE = (ProgramOp, TensorOp, BufferOp, CoreOp, StreamOp, RepeatOp, LoopOp, WhileOp, CmpBranchOp)
_CONTROL = (
    EventSemaphoreOp,
    RegisterMoveOp,
    RegisterAluOp,
    RegisterLoadOp,
    RegisterStoreOp,
    RankIdOp,
    CoreBarrierOp,
)

NeuronIsa = Dialect(
    "neuron.isa",
    [*_STRUCTURE, *_CONTROL, *INSTRUCTION_OPS.values()],
    [ExprAttr, AccessAttr, WaitAttr, UpdateAttr, ComparisonAttr],
)
