"""`neuron.engine`: who does it, and when. One operation is one machine instruction on a named engine, over views;
program order is the meaning. It has two forms, made from the one table.

*Values*: views are of tiles, which are SSA values. An instruction gives, for each tile that it writes to, that tile as
it is then: it names what it writes as the buffer form does, and whatever it leaves of it stays. A tile that nobody
wrote is `neuron.engine.empty`. Loops carry tiles, and ifs yield them.

*Buffers*: views are of buffers, and instructions give nothing. Loops carry nothing. A `neuron.engine.alloc` inside a
loop is a fresh buffer in each iteration, of which `depth` are alive at once; outside, it is one buffer. After
`allocate` it has an `address`.

A `neuron.engine.view` names the elements of a tile, of a buffer, or of an argument in HBM, that an instruction reaches:
its type has the whole pattern but for a run-time offset. Where a tile ends before its block does, *limits* cut the view
in those iterations; an instruction of which nothing is left does nothing. What is known at run time only comes from
memory by `neuron.engine.scalar`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from xdsl.dialects import arith
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseArrayBase, FloatAttr, IndexType, IntegerAttr, MemRefType, StringAttr, f32, i64
from xdsl.dialects.scf import ForOp
from xdsl.ir import Attribute, Block, Data, Dialect, Operation, SSAValue, TypeAttribute
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.irdl.declarative_assembly_format import (
    AttributeVariable,
    CustomDirective,
    ParsingState,
    PrintingState,
    VariadicOperandVariable,
    irdl_custom_directive,
)
from xdsl.parser import AttrParser, Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind, MemoryReadEffect, Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Access, Engine, EngineAttr, Space, parse_partitions, parse_pattern, pattern_text
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
from nki_mlir.dialects.neuron_mem import AllocEffect
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.table_ops import build_ops, field_attr, field_format, field_value, target_of
from nki_mlir.targets import Target

ATOMIC = "neuron.engine.atomic"
"""The attribute of a transfer that is part of an atomic operation."""


@irdl_attr_definition
class BufferType(Data[tuple[Space, int, int]], TypeAttribute):
    """`<sbuf, 128 x 2048>`: 2048 bytes on each of 128 partitions."""

    name = "neuron.engine.buffer"

    @property
    def space(self) -> Space:
        return self.data[0]

    @property
    def partitions(self) -> int:
        return self.data[1]

    @property
    def bytes(self) -> int:
        return self.data[2]

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Space, int, int]:
        with parser.in_angle_brackets():
            start = parser.pos
            space = Space(parser.parse_str_enum(Space))
            if space is Space.HBM:
                parser.raise_error("a buffer lies in sbuf or psum", start, parser.pos)
            parser.parse_punctuation(",")
            partitions = parser.parse_integer(allow_boolean=False, allow_negative=False)
            parser.parse_keyword("x")
            return space, partitions, parser.parse_integer(allow_boolean=False, allow_negative=False)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.space}, {self.partitions} x {self.bytes}>")


@irdl_attr_definition
class ViewType(Data[Access], TypeAttribute):
    """`<sbuf[0:128], [1 x 512], f32>` or `<hbm, [512 x 128, 1 x 512], f32>`: pattern and element type."""

    name = "neuron.engine.view"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Access:
        with parser.in_angle_brackets():
            space = Space(parser.parse_str_enum(Space))
            start = partitions = 0
            if space is not Space.HBM:
                start, partitions = parse_partitions(parser)
            parser.parse_punctuation(",")
            dims, element_type = parse_pattern(parser)
            return Access(space, element_type, dims, start, partitions)

    def print_parameter(self, printer: Printer) -> None:
        a = self.data
        where = "hbm" if a.space is Space.HBM else f"{a.space}[{a.start}:{a.start + a.partitions}]"
        printer.print_string(f"<{where}, {pattern_text(a)}>")


@irdl_op_definition
class AllocOp(IRDLOperation):
    """A buffer. `depth` slots of it rotate with the iterations of the enclosing loops; `address` is that of the first,
    the others follow it."""

    name = "neuron.engine.alloc"
    depth = prop_def(IntegerAttr.constr(i64), default_value=IntegerAttr(1, i64))
    address = opt_prop_def(IntegerAttr.constr(i64))
    label = opt_prop_def(StringAttr)
    result = result_def(BufferType)
    traits = traits_def(AllocEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "($label^)? (`at` $address^)? attr-dict `:` type($result)"

    def __init__(self, space: Space, partitions: int, bytes_: int, label: str | None = None):
        super().__init__(
            properties={"label": None if label is None else StringAttr(label)},
            result_types=[BufferType((space, partitions, bytes_))],
        )

    @property
    def buffer(self) -> BufferType:
        return cast(BufferType, self.result.type)

    def verify_(self) -> None:
        memory, buffer = target_of(self).memory, self.buffer
        capacity = memory.psum_bytes if buffer.space is Space.PSUM else memory.sbuf_bytes
        if not 1 <= buffer.partitions <= memory.partitions:
            raise VerifyException(f"a buffer spans 1..{memory.partitions} partitions, got {buffer.partitions}")
        if buffer.bytes < 1:
            raise VerifyException("a buffer has at least one byte per partition")
        if self.depth.value.data < 1:
            raise VerifyException(f"a buffer has at least one slot, got depth {self.depth.value.data}")
        if self.address is None:
            return
        if self.address.value.data < 0:
            raise VerifyException(f"an address is not negative, got {self.address.value.data}")
        end = self.address.value.data + self.depth.value.data * buffer.bytes
        if end > capacity:
            raise VerifyException(f"the buffer ends at byte {end}; {buffer.space} has {capacity} per partition")


@irdl_custom_directive
class Limits(CustomDirective):
    """`limit dim 0 %n, dim 2 %m`, or nothing: dimensions and the index that limits each."""

    dims: AttributeVariable
    values: VariadicOperandVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        found: list[tuple[int, UnresolvedOperand]] = []
        if parser.parse_optional_keyword("limit") is not None:
            found = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: self._one(parser))
            self.dims.set(state, DenseArrayBase.from_list(i64, [dim for dim, _ in found]))
        self.values.set(state, [value for _, value in found])

    @staticmethod
    def _one(parser: Parser) -> tuple[int, UnresolvedOperand]:
        parser.parse_keyword("dim")
        return parser.parse_integer(allow_boolean=False, allow_negative=False), parser.parse_unresolved_operand()

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        assert isinstance(op, ViewOp)
        for number, (dim, value) in enumerate(op.limited):
            printer.print_string(f"{',' if number else ' limit'} dim {dim} ")
            printer.print_ssa_value(value)
            state.last_was_punctuation, state.should_emit_space = False, True


@irdl_op_definition
class EmptyOp(IRDLOperation):
    """A tile that nobody wrote: what an instruction writes to that makes a new one."""

    name = "neuron.engine.empty"
    label = opt_prop_def(StringAttr)
    result = result_def(TileType)
    traits = traits_def(AllocEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "($label^)? attr-dict `:` type($result)"

    def __init__(self, type_: TileType, label: str | None = None):
        super().__init__(
            properties={"label": None if label is None else StringAttr(label)},
            result_types=[type_],
        )


@irdl_op_definition
class ViewOp(IRDLOperation):
    """The elements that the result's pattern names, from element `offset` of the source on (of each partition). A limit
    leaves the first so many of a dimension: all where it is not below their number, none where it is not above 0.
    Dimension 0 of a view on chip is its partitions, the others those of the pattern; in HBM there are only these."""

    name = "neuron.engine.view"
    source = operand_def(base(BufferType) | base(TileType) | base(MemRefType))
    offset = opt_operand_def(IndexType())
    limits = var_operand_def(IndexType())
    limited_dims = opt_prop_def(DenseArrayBase.constr(i64))
    result = result_def(ViewType)
    traits = traits_def(Pure())
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        "$source (`at` $offset^)? custom<Limits>($limited_dims, $limits) attr-dict `:` type($source) `->` type($result)"
    )
    custom_directives = (Limits,)

    def __init__(
        self,
        source: SSAValue,
        access: Access,
        offset: SSAValue | None = None,
        limits: Sequence[tuple[int, SSAValue]] = (),
    ):
        dims = DenseArrayBase.from_list(i64, [dim for dim, _ in limits]) if limits else None
        super().__init__(
            operands=[source, offset, [value for _, value in limits]],
            result_types=[ViewType(access)],
            properties={"limited_dims": dims},
        )

    @property
    def access(self) -> Access:
        """The full extent."""
        return cast(ViewType, self.result.type).data

    @property
    def limited(self) -> list[tuple[int, SSAValue]]:
        """The dimensions that have a limit, each with it."""
        dims = () if self.limited_dims is None else self.limited_dims.get_values()
        return list(zip(dims, self.limits, strict=False))

    def verify_(self) -> None:
        self._verify_limits()
        match self.source.type:
            case MemRefType() as memory:
                self._verify_hbm(memory)
            case TileType() as tile:
                self._verify_chip("tile", buffer_of(tile))
            case other:
                self._verify_chip("buffer", cast(BufferType, other))

    def _verify_limits(self) -> None:
        dims = () if self.limited_dims is None else self.limited_dims.get_values()
        if len(dims) != len(self.limits):
            raise VerifyException(f"{len(dims)} dimensions are limited, by {len(self.limits)} values")
        rank = len(self.access.counts)
        for number, dim in enumerate(dims):
            if not 0 <= dim < rank:
                raise VerifyException(f"the view has dimensions 0 to {rank - 1}, and no dimension {dim} to limit")
            if number and dim <= dims[number - 1]:
                raise VerifyException(
                    f"each dimension has one limit, in rising order; {dim} is after {dims[number - 1]}"
                )
        for value in self.limits:
            _verify_limit(value)

    def _verify_hbm(self, source: MemRefType[Attribute]) -> None:
        access = self.access
        if access.space is not Space.HBM or access.element_type != source.element_type:
            raise VerifyException(f"a view of {source} is in hbm with its element type, got {self.result.type}")
        low, high = (byte // access.itemsize for byte in access.extent)
        if self.offset is None and source.has_static_shape() and (low < 0 or high > source.element_count()):
            raise VerifyException(f"the view covers elements {low}..{high} of {source.element_count()}")

    def _verify_chip(self, what: str, buffer: BufferType) -> None:
        access = self.access
        if access.space is not buffer.space:
            raise VerifyException(f"the {what} is in {buffer.space}, the view in {access.space}")
        if access.start + access.partitions > buffer.partitions:
            raise VerifyException(
                f"the view reaches partition {access.start + access.partitions - 1} of a {what} of {buffer.partitions}"
            )
        low, high = access.extent
        if self.offset is None and (low < 0 or high > buffer.bytes):
            raise VerifyException(f"the view covers bytes {low}..{high} of a {what} of {buffer.bytes} per partition")


def buffer_of(tile: TileType) -> BufferType:
    """What holds a tile."""
    return BufferType((tile.space.data, tile.layout.partitions, tile.bytes))


def view_of(value: SSAValue | None) -> ViewOp | None:
    """The view that an operand is."""
    return value.owner if value is not None and isinstance(value.owner, ViewOp) else None


_OF_LIMITS = (
    ConstantOp,
    arith.AddiOp,
    arith.SubiOp,
    arith.MuliOp,
    arith.FloorDivSIOp,
    arith.DivSIOp,
    arith.RemSIOp,
    arith.MinSIOp,
    arith.MaxSIOp,
)


def _verify_limit(value: SSAValue) -> None:
    """Streams are cut where a limit changes, so it must be known before the program runs."""
    seen, todo = {value}, [value]
    while todo:
        one = todo.pop()
        owner = one.owner
        if isinstance(owner, Block):
            loop = owner.parent_op()
            if not isinstance(loop, ForOp) or one is not owner.args[0]:
                raise VerifyException("a limit is made of constants and loop counters, not of another argument")
        elif not isinstance(owner, _OF_LIMITS):
            raise VerifyException(
                f"a limit is made of constants and loop counters by add, sub, mul, div, rem, min and max, not by"
                f" {owner.name}"
            )
        else:
            todo += [operand for operand in owner.operands if operand not in seen]
            seen.update(owner.operands)


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
        if self.view is not None and self.view.limits:
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


class EngineInstruction(IRDLOperation):
    """An instruction of the table over views. `tiles` are the tiles that it wrote to, in the order of its operands; in
    buffer form there are none."""

    engine = prop_def(EngineAttr)
    tiles = var_result_def(TileType)
    traits = traits_def(InstructionEffect())

    @property
    def instruction(self) -> Instruction:
        return BY_NAME[self.name.rsplit(".", 1)[1]]

    def is_a(self, name: str) -> bool:
        """Whether it is the instruction that the table has by that name."""
        return self.instruction is BY_NAME[name]

    def operand_value(self, name: str) -> SSAValue | None:
        """The SSA operand of that name in the table."""
        return getattr(self, name)

    @property
    def has_state(self) -> bool:
        """Whether it may change what later instructions of its engine give: by the generators, or the accumulator."""
        commands = (f.name for f in self.instruction.fields if f.kind == "command")
        return self.instruction.random or any(name in self.properties for name in commands)

    def written(self) -> list[ViewOp]:
        """The views that it writes to, in the order of its operands."""
        named = (self.operand_value(o.name) for o in self.instruction.operands if o.role == "dst")
        return [view for value in named if (view := view_of(value)) is not None]

    def operand_named(self, name: str) -> Access | float | None:
        value = self.operand_value(name)
        if value is None:
            return None
        if isinstance(value.type, ViewType):
            return value.type.data
        return constant_float(value)

    def fields(self) -> dict[str, Any]:
        return {f.name: field_value(self.properties.get(f.name)) for f in self.instruction.fields if f.kind != "expr"}

    def instance(self, target: Target | None = None) -> Instance:
        """This occurrence, as rules and costs see it, on the module's chip if no other is named."""
        named = {o.name: self.operand_named(o.name) for o in self.instruction.operands}
        operands = {name: value for name, value in named.items() if value is not None}
        return Instance(self.instruction, self.engine.data, operands, self.fields(), target or target_of(self))

    def views(self) -> dict[str, ViewOp]:
        """The operands that are views, by their names in the table."""
        values = {o.name: self.operand_value(o.name) for o in self.instruction.operands}
        return {name: v.owner for name, v in values.items() if v is not None and isinstance(v.owner, ViewOp)}

    def verify_(self) -> None:
        for o in self.instruction.operands:
            self._verify_constant(o.name)
        self._verify_form()
        if (reason := check(self.instance())) is not None:
            raise VerifyException(f"{self.instruction.name}: {reason}")
        for limit in dict.fromkeys(value for view in self.views().values() for value in view.limits):
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

    def _verify_constant(self, name: str) -> None:
        """An immediate is part of the instruction."""
        value = self.operand_value(name)
        if value is not None and not isinstance(value.type, ViewType) and not isinstance(value.owner, ConstantOp):
            raise VerifyException(f"{self.instruction.name}: {name} must be a view or an arith.constant")


def tiles_written(views: Sequence[ViewOp]) -> list[TileType]:
    """The types of the tiles that an instruction gives that writes to these views."""
    return [view.source.type for view in views if isinstance(view.source.type, TileType)]


def _types(types: Sequence[Attribute]) -> str:
    return ", ".join(map(str, types)) or "none"


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
    instruction = BY_NAME[name]
    order = [o.name for o in instruction.operands] + [f.name for f in instruction.fields if f.kind == "expr"]
    properties: dict[str, Attribute | None] = {"engine": EngineAttr(engine or instruction.engines[0])}
    properties |= {f.name: field_attr(f, fields.get(f.name)) for f in instruction.fields if f.kind != "expr"}
    views = [v for o in instruction.operands if o.role == "dst" and (v := view_of(operands.get(o.name))) is not None]
    return INSTRUCTION_OPS[name].build(
        operands=[operands.get(n) for n in order],
        properties=cast(Any, properties),
        result_types=[tiles_written(views)],
    )


NeuronEngine = Dialect(
    "neuron.engine",
    [AllocOp, EmptyOp, ViewOp, ScalarOp, *INSTRUCTION_OPS.values()],
    [BufferType, ViewType, EngineAttr, AluAttr, FunctionAttr, ReduceCommandAttr],
)
