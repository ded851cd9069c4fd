"""`neuron.engine`: who does it, and when. One operation is one machine instruction on a named engine, over views;
program order is the meaning. It has two forms, made from the one table.

*Values*: views are of tiles, which are SSA values. An instruction gives, for each tile that it writes to, that tile as
it is then: it names what it writes as the buffer form does, and whatever it leaves of it stays. A tile that nobody
wrote is `neuron.engine.empty`. Loops carry tiles, and ifs yield them.

*Buffers*: views are of buffers, and instructions give nothing. Loops carry nothing. A `neuron.engine.alloc` inside a
loop is a fresh buffer in each iteration, of which `depth` are alive at once; outside, it is one buffer. After
`allocate` it has an `address`, and `from` names its first partition where that is not 0.

A `neuron.engine.view` names the elements of a tile, of a buffer, or of an argument in HBM, that an instruction reaches:
its type has the whole pattern but for a run-time offset. Where a tile ends before its block does, *limits* cut the view
in those iterations; an instruction of which nothing is left does nothing. What is known at run time only comes from
memory by `neuron.engine.scalar`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseArrayBase, FloatAttr, IndexType, IntegerType, StringAttr, f32, i32
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_result_def,
)
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind, MemoryReadEffect
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Access, Engine, EngineAttr, Space
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import (
    BY_NAME,
    AluAttr,
    FunctionAttr,
    Instance,
    Instruction,
    ReduceCommandAttr,
    check,
)
from nki_mlir.dialects.neuron_engine_views import AllocOp, BufferType, Label, ViewOp, ViewType, view_of
from nki_mlir.dialects.neuron_mem_scans import AllocEffect
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.table_ops import TableOp, build_ops, field_attr, field_format, field_value, target_of
from nki_mlir.targets import Target

ATOMIC = "neuron.engine.atomic"
"""The attribute of a transfer that is part of an atomic operation."""


@irdl_op_definition
class EmptyOp(IRDLOperation):
    """A tile that nobody wrote: what an instruction writes to that makes a new one."""

    name = "neuron.engine.empty"
    label = opt_prop_def(StringAttr)
    result = result_def(TileType)
    traits = traits_def(AllocEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "custom<Label>($label) attr-dict `:` type($result)"
    custom_directives = (Label,)

    def __init__(self, type_: TileType, label: str | None = None):
        super().__init__(
            properties={"label": None if label is None else StringAttr(label)},
            result_types=[type_],
        )


_READ_BY_SEQUENCERS = ("int8", "uint8", "int16", "uint16", "int32")


@irdl_op_definition
class ScalarOp(IRDLOperation):
    """One integer in SBUF or HBM, as an index that bounds, offsets and conditions may use. Every stream that needs it
    reads it into a register of its own."""

    name = "neuron.engine.scalar"
    source = operand_def(ViewType)
    result = result_def(IndexType())
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$source attr-dict `:` type($source)"

    @property
    def view(self) -> ViewOp | None:
        return view_of(self.source)

    def verify_(self) -> None:
        access = cast(ViewType, self.source.type).data
        if self.view is not None and self.view.is_limited:
            raise VerifyException("a scalar is read in every iteration; its view has no limits")
        if access.elements != 1:
            raise VerifyException(f"a register holds one element, the view has {access.elements}")
        if access.space is Space.PSUM:
            raise VerifyException("a sequencer reaches sbuf and hbm, not psum")
        if (name := dtype(access.element_type).name) not in _READ_BY_SEQUENCERS:
            raise VerifyException(f"the element must be one of {', '.join(_READ_BY_SEQUENCERS)}, not {name}")


class InstructionEffect(MemoryEffect):
    """What makes tiles and leaves no trace in an engine is dead if nobody reads them; two such are never one, as each
    has buffers of its own. Everything else writes."""

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        assert isinstance(op, EngineInstruction)
        if not op.results or op.has_state:
            return {EffectInstance(MemoryEffectKind.WRITE)}
        return {EffectInstance(MemoryEffectKind.ALLOC, result) for result in op.results}


class EngineInstruction(TableOp):
    """An instruction of the table over views. `tiles` are the tiles that it wrote to, in the order of its operands; in
    buffer form there are none."""

    engine = prop_def(EngineAttr)
    tiles = var_result_def(TileType)
    traits = traits_def(InstructionEffect())

    def is_a(self, name: str) -> bool:
        """Whether it is the instruction that the table has by that name."""
        return self.instruction is BY_NAME[name]

    def values(self) -> dict[str, SSAValue]:
        """The SSA operands that it has, by their names in the table."""
        return dict(zip(self._names, self._operands, strict=True))

    @property
    def _names(self) -> Sequence[str]:
        """The names of its operands; where some are left out, sizes say which, if it could be another one."""
        names = self.instruction.values
        if len(self._operands) == len(names):
            return names
        sizes = self.properties.get(AttrSizedOperandSegments.attribute_name)
        return _present(self.instruction.name, sizes.data.data if isinstance(sizes, DenseArrayBase) else None)

    def operand_value(self, name: str) -> SSAValue | None:
        """The SSA operand of that name in the table."""
        names = self._names
        return self._operands[names.index(name)] if name in names else None

    @property
    def has_state(self) -> bool:
        """Whether it may change what later instructions of its engine give: by the generators, or the accumulator."""
        return self.instruction.random or any(name in self.properties for name in self.instruction.commands)

    @property
    def is_limited(self) -> bool:
        """Whether it does less, or nothing, in some iterations."""
        return any(isinstance(value.owner, ViewOp) and value.owner.is_limited for value in self._operands)

    def written(self) -> list[ViewOp]:
        """The views that it writes to, in the order of its operands."""
        values = self.values()
        return [view for name in self.instruction.written if (view := view_of(values.get(name))) is not None]

    def fields(self) -> dict[str, Any]:
        return {f.name: field_value(self.properties.get(f.name)) for f in self.instruction.fields if f.kind != "expr"}

    def instance(self, target: Target | None = None) -> Instance:
        """This occurrence, as rules and costs see it, on the module's chip if no other is named."""
        values = self.values()
        operands = {o.name: _operand(values[o.name]) for o in self.instruction.operands if o.name in values}
        return Instance(self.instruction, self.engine.data, operands, self.fields(), target or target_of(self))

    def views(self) -> dict[str, ViewOp]:
        """The operands that are views, by their names in the table."""
        return {name: v.owner for name, v in self.values().items() if isinstance(v.owner, ViewOp)}

    def verify_(self) -> None:
        for name, value in self.values().items():
            self._verify_constant(name, value)
        self._verify_form()
        if (reason := check(self.instance())) is not None:
            raise VerifyException(f"{self.instruction.name}: {reason}")
        for limit in dict.fromkeys(value for view in self.views().values() for _, value in view.limited):
            if (reason := check(self._with_one(limit))) is not None:
                raise VerifyException(f"{self.instruction.name} where a limit leaves one: {reason}")

    def _with_one(self, limit: SSAValue) -> Instance:
        """This occurrence where a limit leaves one element of each dimension that has it. What holds of all of them and
        of one holds of what is in between: sizes are products."""
        whole = self.instance()
        cut = {
            name: view.access.limited({dim: 1 for dim, value in view.limited if value is limit})
            for name, view in self.views().items()
        }
        return replace(whole, operands={**whole.operands, **cut})

    def _verify_form(self) -> None:
        """Views are of tiles or of buffers, and a tile that is written comes out."""
        sources = [view.source.type for o in self.operands if (view := view_of(o)) is not None]
        if {TileType, BufferType} <= {type(source) for source in sources}:
            raise VerifyException(f"{self.instruction.name}: one view is of a tile, another of a buffer")
        wanted = tiles_written(self.written())
        if [tile.type for tile in self.tiles] != wanted:
            raise VerifyException(
                f"{self.instruction.name} gives the tiles that it writes to, {_types(wanted)},"
                f" not {_types([tile.type for tile in self.tiles])}"
            )

    def _verify_constant(self, name: str, value: SSAValue) -> None:
        """An immediate is part of the instruction; an index may be computed."""
        if not isinstance(value.type, ViewType | IndexType) and not isinstance(value.owner, ConstantOp):
            raise VerifyException(f"{self.instruction.name}: {name} must be a view or an arith.constant")


@cache
def _present(name: str, sizes: bytes | None) -> tuple[str, ...]:
    """Which operands an instruction has by their sizes, each an i32 of 0 or 1, or, without these, all that it must."""
    instruction = BY_NAME[name]
    if sizes is None:
        return tuple(o.name for o in instruction.operands if not o.optional)
    given = i32.unpack(sizes, len(instruction.values))
    return tuple(name for name, size in zip(instruction.values, given, strict=True) if size)


def tiles_written(views: Sequence[ViewOp]) -> list[TileType]:
    """The types of the tiles that an instruction gives that writes to these views."""
    return [view.source.type for view in views if isinstance(view.source.type, TileType)]


def _types(types: Sequence[Attribute]) -> str:
    return ", ".join(map(str, types)) or "none"


def _operand(value: SSAValue) -> Access | float:
    """What rules see of it."""
    return value.type.data if isinstance(value.type, ViewType) else constant_float(value)


def constant_float(value: SSAValue) -> float:
    """The value of an fp32 constant operand."""
    if isinstance(value.owner, ConstantOp) and isinstance(value.owner.value, FloatAttr):
        return value.owner.value.value.data
    return 0.0


def _members(instruction: Instruction) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for operand in instruction.operands:
        constraint = base(ViewType) if not operand.constant else base(ViewType) | base(type(f32))
        members[operand.name] = (opt_operand_def if operand.optional else operand_def)(constraint)
    members["tiles"] = var_result_def(TileType)
    members |= {f.name: opt_operand_def(IndexType()) for f in instruction.fields if f.kind == "expr"}
    return members


def _assembly(instruction: Instruction) -> str:
    parts = ["$engine"]
    parts += [f"(`{f.name}` ${f.name}^)?" if f.kind == "expr" else field_format(f) for f in instruction.fields]
    for operand in instruction.operands:
        text = f"`{operand.name}` ${operand.name}"
        parts.append(
            f"({text}^ `:` type(${operand.name}))?" if operand.optional else f"{text} `:` type(${operand.name})"
        )
    return " ".join(parts) + " attr-dict (`->` type($tiles)^)?"


INSTRUCTION_OPS: dict[str, type[EngineInstruction]] = build_ops("neuron.engine", EngineInstruction, _members, _assembly)


def instruction_op(
    name: str, engine: Engine | None, operands: Mapping[str, SSAValue | None], fields: dict[str, Any]
) -> EngineInstruction:
    """An instruction by its name in the table; `engine` None takes its default one. Fields of kind expr are SSA values
    and stand in `operands`."""
    instruction, kind = BY_NAME[name], INSTRUCTION_OPS[name]
    properties: dict[str, Attribute] = {"engine": EngineAttr(engine or instruction.engines[0])}
    for f in instruction.fields:
        if f.kind != "expr" and (value := field_attr(f, fields.get(f.name))) is not None:
            properties[f.name] = value
    given = [operands.get(name) for name in instruction.values]
    if kind.SIZED:
        properties[AttrSizedOperandSegments.attribute_name] = _sizes(tuple(value is not None for value in given))
    views = [v for name in instruction.written if (v := view_of(operands.get(name))) is not None]
    present = [value for value in given if value is not None]
    return kind.create(operands=present, properties=properties, result_types=tiles_written(views))


@cache
def _sizes(present: tuple[bool, ...]) -> DenseArrayBase[IntegerType]:
    """Which operands there are."""
    return DenseArrayBase.from_list(i32, list(map(int, present)))


NeuronEngine = Dialect(
    "neuron.engine",
    [AllocOp, EmptyOp, ViewOp, ScalarOp, *INSTRUCTION_OPS.values()],
    [BufferType, ViewType, EngineAttr, AluAttr, FunctionAttr, ReduceCommandAttr],
)
