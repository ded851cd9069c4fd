"""Builds the operations of one machine level from the instruction table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    f32,
    i64,
)
from xdsl.ir import Attribute, Operation
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
)

from nki_mlir.dialects.instructions import (
    INSTRUCTIONS,
    AluAttr,
    Field,
    FunctionAttr,
    Instruction,
    ReduceCommandAttr,
)
from nki_mlir.errors import CompileError
from nki_mlir.targets import TARGETS, Target, load

TARGET = "neuron.target"


class TableOp(IRDLOperation):
    """An operation that is an instruction of the table. One that is `SIZED` says which operands it has."""

    INSTRUCTION: ClassVar[Instruction]
    SIZED: ClassVar[bool]

    @property
    def instruction(self) -> Instruction:
        return self.INSTRUCTION


OpT = TypeVar("OpT", bound=TableOp)

_FIELD_TYPES: dict[str, Any] = {
    "alu": AluAttr,
    "function": FunctionAttr,
    "command": ReduceCommandAttr,
    "choice": StringAttr,
    "integer": IntegerAttr.constr(i64),
    "integers": DenseArrayBase.constr(i64),
    "number": base(FloatAttr) | base(IntegerAttr),
    "numbers": DenseArrayBase.constr(f32),
    "flag": UnitAttr,
}


def target_of(op: Operation) -> Target:
    """The chip that the enclosing module names (`neuron.target`), trn1 where it names none.

    Raises CompileError where it names none of those that there are: passes, verifiers and tools all ask here.
    """
    top = op.get_toplevel_object() if op.parent is not None else op
    named = top.attributes.get(TARGET) if isinstance(top, Operation) else None
    if named is None:
        return load(TARGETS[0])
    if not isinstance(named, StringAttr) or named.data not in TARGETS:
        assert isinstance(top, Operation)
        raise CompileError.at(top, f"the module's {TARGET} is {named}; it must be one of {', '.join(TARGETS)}")
    return load(named.data)


def field_value(attribute: Attribute | None) -> Any:
    """The plain Python value of a field: an enum member, int, float, tuple or bool."""
    match attribute:
        case None:
            return None
        case AluAttr() | FunctionAttr() | ReduceCommandAttr():
            return attribute.data
        case IntegerAttr():
            return attribute.value.data
        case FloatAttr():
            return attribute.value.data
        case DenseArrayBase():
            return tuple(cast("DenseArrayBase[IntegerType]", attribute).get_values())
        case StringAttr():
            return attribute.data
        case UnitAttr():
            return True
        case _:
            return None


def field_attr(field: Field, value: Any) -> Attribute | None:
    """The attribute for a field's Python value; None for an absent field or a flag that is off."""
    if value is None or value is False:
        return None
    if isinstance(value, Attribute):
        return value
    match field.kind:
        case "alu":
            return AluAttr(value)
        case "function":
            return FunctionAttr(value)
        case "command":
            return ReduceCommandAttr(value)
        case "choice":
            return StringAttr(value)
        case "integer":
            return IntegerAttr(value, i64)
        case "integers":
            return DenseArrayBase.from_list(i64, value)
        case "numbers":
            return DenseArrayBase.from_list(f32, value)
        case "number":
            return IntegerAttr(value, i64) if isinstance(value, int) else FloatAttr(value, f32)
        case "flag":
            return UnitAttr()
        case _:
            raise TypeError(f"{field.name}: give an attribute, not {value!r}")


def field_definition(field: Field) -> Any:
    optional = field.optional or field.kind == "flag"
    return (opt_prop_def if optional else prop_def)(_FIELD_TYPES[field.kind])


def field_format(field: Field) -> str:
    if field.kind == "flag":
        return f"(`{field.name}` ${field.name}^)?"
    text = f"`{field.name}` ${field.name}"
    return f"({text}^)?" if field.optional else text


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_")) + "Op"


def build_ops(
    level: str,
    parent: type[OpT],
    members: Callable[[Instruction], dict[str, Any]],
    assembly: Callable[[Instruction], str],
) -> dict[str, type[OpT]]:
    """One operation class for each instruction of the table that `level` has, by instruction name.

    `members` gives the operand (and further) definitions of a level, `assembly` its format; the fields are the same on
    both levels but for those of kind `expr`, which a level defines itself.
    """
    ops: dict[str, type[OpT]] = {}
    for instruction in INSTRUCTIONS:
        if level not in instruction.levels:
            continue
        sized = _is_sized(level, instruction)
        body: dict[str, Any] = {
            "__doc__": instruction.doc,
            "__module__": parent.__module__,
            "name": f"{level}.{instruction.name}",
            "assembly_format": assembly(instruction),
            "irdl_options": (ParsePropInAttrDict(), *([AttrSizedOperandSegments(as_property=True)] if sized else [])),
        }
        body |= {f.name: field_definition(f) for f in instruction.fields if f.kind != "expr"}
        body |= members(instruction)
        made = cast("type[OpT]", type(camel(instruction.name), (parent,), body))
        ops[instruction.name] = irdl_op_definition(made)
        made.INSTRUCTION, made.SIZED = instruction, sized
    return ops


def _is_sized(level: str, instruction: Instruction) -> bool:
    """Whether operands that are left out could be one or another."""
    optional = sum(o.optional for o in instruction.operands) + sum(f.kind == "expr" for f in instruction.fields)
    return level == "neuron.engine" and optional > 1
