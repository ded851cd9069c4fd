"""What instructions of `neuron.engine` reach: buffers, and views of these, of tiles, and of arguments in HBM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseArrayBase, IndexType, IntegerAttr, MemRefType, StringAttr, i64
from xdsl.dialects.scf import ForOp
from xdsl.ir import Attribute, Block, Data, Operation, SSAValue, TypeAttribute
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
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
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Access, Space, parse_partitions, parse_pattern, pattern_text
from nki_mlir.dialects.legality import start_partition_error
from nki_mlir.dialects.neuron_mem_scans import AllocEffect
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.targets import Target


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


@irdl_custom_directive
class Label(CustomDirective):
    """The name that messages call memory by, if it has one: a text, so that the dictionary of attributes is none."""

    label: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        if (text := parser.parse_optional_str_literal()) is not None:
            self.label.set(state, StringAttr(text))

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        self.label.print(printer, state, op)


@irdl_op_definition
class AllocOp(IRDLOperation):
    """A buffer on partitions `from` and on, 0 and on where it names none. `depth` slots of it rotate with the
    iterations of the enclosing loops; `address` is that of the first, the others follow it, `stride` bytes apart where
    that is more than a slot takes."""

    name = "neuron.engine.alloc"
    depth = prop_def(IntegerAttr.constr(i64), default_value=IntegerAttr(1, i64))
    address = opt_prop_def(IntegerAttr.constr(i64))
    start = opt_prop_def(IntegerAttr.constr(i64))
    stride = opt_prop_def(IntegerAttr.constr(i64))
    label = opt_prop_def(StringAttr)
    result = result_def(BufferType)
    traits = traits_def(AllocEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "custom<Label>($label) (`at` $address^)? (`from` $start^)? (`stride` $stride^)? attr-dict `:` type($result)"
    )
    custom_directives = (Label,)

    def __init__(self, space: Space, partitions: int, bytes_: int, label: str | None = None):
        super().__init__(
            properties={"label": None if label is None else StringAttr(label)},
            result_types=[BufferType((space, partitions, bytes_))],
        )

    @property
    def buffer(self) -> BufferType:
        (result,) = self.results
        return cast(BufferType, result.type)

    @property
    def first_partition(self) -> int:
        return 0 if self.start is None else self.start.value.data

    def verify_(self) -> None:
        target, buffer = target_of(self), self.buffer
        memory = target.memory
        if not 1 <= buffer.partitions <= memory.partitions:
            raise VerifyException(f"a buffer spans 1..{memory.partitions} partitions, got {buffer.partitions}")
        if (reason := start_partition_error(self.first_partition, buffer.partitions)) is not None:
            raise VerifyException(f"a buffer of {reason}")
        first, end = self.first_partition, self.first_partition + buffer.partitions
        if first < 0 or end > memory.partitions:
            raise VerifyException(f"the buffer spans partitions {first}..{end - 1}; there are {memory.partitions}")
        if buffer.bytes < 1:
            raise VerifyException("a buffer has at least one byte per partition")
        if self.depth.value.data < 1:
            raise VerifyException(f"a buffer has at least one slot, got depth {self.depth.value.data}")
        if self.stride is not None and self.stride.value.data < buffer.bytes:
            raise VerifyException(f"slots of {buffer.bytes} bytes cannot be {self.stride.value.data} bytes apart")
        self._verify_address(target)

    def _verify_address(self, target: Target) -> None:
        buffer, memory = self.buffer, target.memory
        capacity = memory.psum_bytes if buffer.space is Space.PSUM else memory.sbuf_bytes
        if self.address is None:
            return
        if self.address.value.data < 0:
            raise VerifyException(f"an address is not negative, got {self.address.value.data}")
        end = self.address.value.data + (self.depth.value.data - 1) * distance(self, target) + buffer.bytes
        if end > capacity:
            raise VerifyException(f"the buffer ends at byte {end}; {buffer.space} has {capacity} per partition")


def alignment(space: Space, target: Target) -> int:
    """Bytes that an address is a multiple of: a bank in PSUM."""
    memory = target.memory
    return memory.psum_bytes // memory.psum_banks if space is Space.PSUM else memory.sbuf_align


def slot_bytes(alloc: AllocOp, target: Target) -> int:
    """What one slot takes, alignment included: whole banks in PSUM, so that no matmul output crosses one."""
    unit = alignment(alloc.buffer.space, target)
    return -(-alloc.buffer.bytes // unit) * unit


def distance(alloc: AllocOp, target: Target) -> int:
    """Bytes from one slot to the next."""
    return slot_bytes(alloc, target) if alloc.stride is None else alloc.stride.value.data


def extent(alloc: AllocOp, target: Target) -> int:
    """Bytes from the first slot to the end of the last."""
    return (alloc.depth.value.data - 1) * distance(alloc, target) + slot_bytes(alloc, target)


@irdl_custom_directive
class Reached(CustomDirective):
    """`at %offset limit dim 0 %n, dim 2 %m`, or parts of it: dimensions and the index that limits each."""

    dims: AttributeVariable
    indices: VariadicOperandVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        found: list[tuple[int, UnresolvedOperand]] = []
        offset = [parser.parse_unresolved_operand()] if parser.parse_optional_keyword("at") is not None else []
        if parser.parse_optional_keyword("limit") is not None:
            found = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: self._one(parser))
            self.dims.set(state, DenseArrayBase.from_list(i64, [dim for dim, _ in found]))
        self.indices.set(state, [*offset, *(value for _, value in found)])

    @staticmethod
    def _one(parser: Parser) -> tuple[int, UnresolvedOperand]:
        parser.parse_keyword("dim")
        return parser.parse_integer(allow_boolean=False, allow_negative=False), parser.parse_unresolved_operand()

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        assert isinstance(op, ViewOp)
        if op.offset is not None:
            printer.print_string(" at ")
            printer.print_ssa_value(op.offset)
        for number, (dim, value) in enumerate(op.limited):
            printer.print_string(f"{',' if number else ' limit'} dim {dim} ")
            printer.print_ssa_value(value)
        state.last_was_punctuation, state.should_emit_space = False, True


@irdl_op_definition
class ViewOp(IRDLOperation):
    """The elements that the result's pattern names, from element `offset` of the source on (of each partition). The
    partitions of a view of a buffer are those of the machine, so that its type alone tells what is legal; those of a
    view of a tile count from the tile's first. A limit
    leaves the first so many of a dimension: all where it is not below their number, none where it is not above 0.
    Dimension 0 of a view on chip is its partitions, the others those of the pattern; in HBM there are only these. The
    `indices` are the offset, if it has one, and the limits of `limited_dims`."""

    name = "neuron.engine.view"
    source = operand_def(base(BufferType) | base(TileType) | base(MemRefType))
    indices = var_operand_def(IndexType())
    limited_dims = opt_prop_def(DenseArrayBase.constr(i64))
    result = result_def(ViewType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source custom<Reached>($limited_dims, $indices) attr-dict `:` type($source) `->` type($result)"
    custom_directives = (Reached,)

    def __init__(
        self,
        source: SSAValue,
        access: Access,
        offset: SSAValue | None = None,
        limits: Sequence[tuple[int, SSAValue]] = (),
    ):
        # A kernel has thousands of these, and what sorts operands into definitions takes most of the time.
        Operation.__init__(
            self,
            operands=[source, *([] if offset is None else [offset]), *(value for _, value in limits)],
            result_types=[ViewType(access)],
            properties={"limited_dims": DenseArrayBase.from_list(i64, [dim for dim, _ in limits])} if limits else {},
        )

    @property
    def access(self) -> Access:
        """The full extent."""
        (result,) = self.results
        return cast(ViewType, result.type).data

    @property
    def limited(self) -> list[tuple[int, SSAValue]]:
        """The dimensions that have a limit, each with it."""
        dims = self._dims
        return list(zip(dims, self.operands[len(self.operands) - len(dims) :], strict=True)) if dims else []

    @property
    def offset(self) -> SSAValue | None:
        operands = self._operands  # passes ask this most of all
        return operands[1] if len(operands) > 1 and len(operands) > 1 + len(self._dims) else None

    @property
    def _dims(self) -> tuple[int, ...]:
        dims = self.limited_dims
        return () if dims is None else tuple(dims.get_values())

    @property
    def is_limited(self) -> bool:
        """Whether it reaches less in some iterations, or nothing."""
        return self.limited_dims is not None

    def verify_(self) -> None:
        self._verify_limits()
        match self.source.type:
            case MemRefType() as memory:
                self._verify_hbm(memory)
            case TileType() as tile:
                self._verify_chip("tile", buffer_of(tile), 0)
            case other:
                alloc = self.source.owner
                first = alloc.first_partition if isinstance(alloc, AllocOp) else 0
                self._verify_chip("buffer", cast(BufferType, other), first)

    def _verify_limits(self) -> None:
        dims, indices = self._dims, len(self.indices)
        if indices - len(dims) not in (0, 1):
            raise VerifyException(f"a view with {len(dims)} limits has so many indices, or one more; got {indices}")
        rank = len(self.access.counts)
        for number, dim in enumerate(dims):
            if not 0 <= dim < rank:
                raise VerifyException(f"the view has dimensions 0 to {rank - 1}, and no dimension {dim} to limit")
            if number and dim <= dims[number - 1]:
                raise VerifyException(
                    f"each dimension has one limit, in rising order; {dim} is after {dims[number - 1]}"
                )
        for _, value in self.limited:
            _verify_limit(value)

    def _verify_hbm(self, source: MemRefType[Attribute]) -> None:
        access = self.access
        if access.space is not Space.HBM or access.element_type != source.element_type:
            raise VerifyException(f"a view of {source} is in hbm with its element type, got {self.result.type}")
        low, high = (byte // access.itemsize for byte in access.extent)
        if self.offset is None and source.has_static_shape() and (low < 0 or high > source.element_count()):
            raise VerifyException(f"the view covers elements {low}..{high} of {source.element_count()}")

    def _verify_chip(self, what: str, buffer: BufferType, first: int) -> None:
        access = self.access
        if access.space is not buffer.space:
            raise VerifyException(f"the {what} is in {buffer.space}, the view in {access.space}")
        if access.start + access.partitions > first + buffer.partitions:
            of = f"{buffer.partitions} from {first}" if first else buffer.partitions
            raise VerifyException(
                f"the view reaches partition {access.start + access.partitions - 1} of a {what} of {of}"
            )
        if access.start < first:
            raise VerifyException(f"the view starts at partition {access.start}; the {what} starts at {first}")
        low, high = access.extent
        if self.offset is None and (low < 0 or high > buffer.bytes):
            raise VerifyException(f"the view covers bytes {low}..{high} of a {what} of {buffer.bytes} per partition")


def buffer_of(tile: TileType) -> BufferType:
    """What holds a tile."""
    return BufferType((tile.space.data, tile.layout.partitions, tile.bytes))


def view_of(value: SSAValue | None) -> ViewOp | None:
    """The view that an operand is."""
    owner = None if value is None else value.owner
    return owner if isinstance(owner, ViewOp) else None


_OF_LIMITS = (
    arith.ConstantOp,
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
