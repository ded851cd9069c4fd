"""`neuron.mem`: where data lives. Values are tiles placed in SBUF or PSUM; every movement is an operation.

A tile's type says how a logical tensor lies on chip: the digits of its dimensions on the partitions and in the free
dimension (`layout.py`). What `place` decided is thus in the type, for every later verifier to check. Operands of one
operation lie alike; `convert` takes a value from any layout to any other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    AnyFloat,
    AnyFloatConstr,
    DenseArrayBase,
    IndexType,
    IntegerType,
    Signedness,
    i64,
)
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import (
    Attribute,
    Dialect,
    SSAValue,
)
from xdsl.irdl import (
    ParsePropInAttrDict,
    base,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access_ops import ADDRESS, LEFT_OUT, ReadingOp, WritingOp, closed, opened
from nki_mlir.dialects.coordinates import AccessAttr, Coordinates, verify_coordinates
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.folding import ArithConstants
from nki_mlir.dialects.instructions import BITWISE, COMPARISONS, UNARY, Alu, AluAttr, FunctionAttr
from nki_mlir.dialects.layout import Layout, LayoutError
from nki_mlir.dialects.neuron_mem_pieces import EmptyOp, InsertOp, PlacesAttr, SliceOp
from nki_mlir.dialects.neuron_mem_products import AccumulatorOp, MatmulOp
from nki_mlir.dialects.neuron_mem_scans import FlipOp, LastOp, MemOp, ReduceOp, ScanOp, lie_alike
from nki_mlir.dialects.neuron_mem_types import LayoutAttr, SpaceAttr, TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile_scans import verify_as_wide
from nki_mlir.dialects.ways import WayAttr, why_not


def _verify_scalar(value: SSAValue, element_type: Attribute) -> None:
    """A scalar has the elements' type; of unsigned ones the bits, as `arith.constant` has no unsigned integers."""
    wanted = element_type
    if isinstance(element_type, IntegerType) and element_type.signedness.data is Signedness.UNSIGNED:
        wanted = IntegerType(element_type.width.data)
    if value.type != wanted:
        raise VerifyException(f"the scalar must be {wanted}, got {value.type}")


_SCALARS = ((IntegerType(32), IndexType()), (IntegerType(1), IntegerType(1)))
"""Element types that a sequencer reads, and what they become."""
_ON_MASKS = (Alu.LOGICAL_AND, Alu.LOGICAL_OR, Alu.LOGICAL_XOR)
_SCALAR = AnyFloatConstr | base(IntegerType)
_TILE_OR_SCALAR = base(TileType) | AnyFloatConstr | base(IntegerType)


def _verify_reachable(type_: TileType) -> None:
    if type_.is_psum:
        raise VerifyException("DMA reaches HBM and SBUF, not PSUM")


@irdl_op_definition
class LoadOp(MemOp, ReadingOp):
    """Moves a tile from HBM to SBUF; addressed as `tile.read` is."""

    name = "neuron.mem.load"
    result = result_def(TileType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = f"$memory {ADDRESS} {LEFT_OUT} attr-dict `:` type($memory) `->` type($result)"

    def verify_(self) -> None:
        MemOp.verify_(self)
        ReadingOp.verify_(self)
        _verify_reachable(tile_type(self.result))


@irdl_op_definition
class StoreOp(MemOp, WritingOp):
    """Moves a tile from SBUF to HBM; addressed as `tile.write` is."""

    name = "neuron.mem.store"
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        f"$value `to` $memory {ADDRESS} (`atomic` $atomic^)? attr-dict `:` type($value) `->` type($memory)"
    )

    def verify_(self) -> None:
        MemOp.verify_(self)
        WritingOp.verify_(self)
        if not isinstance(self.value.type, TileType):
            raise VerifyException(f"a store moves a tile, got {self.value.type}")
        _verify_reachable(self.value.type)


@irdl_op_definition
class FillOp(MemOp):
    """A tile, every element of which is the scalar."""

    name = "neuron.mem.fill"
    value = operand_def(_SCALAR)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$value attr-dict `:` type($value) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        _verify_scalar(self.value, tile_type(self.result).element_type)


@irdl_op_definition
class IotaOp(MemOp):
    """Element `i` is `offset + sum(i[d] * strides[d])`, as a 32-bit integer or a float that holds it exactly."""

    name = "neuron.mem.iota"
    offset = operand_def(IndexType())
    strides = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$offset `strides` $strides attr-dict `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        result = tile_type(self.result)
        if len(self.strides.get_values()) != len(result.sizes):
            raise VerifyException("one stride for each dimension")
        if result.element_type != IntegerType(32) and not isinstance(result.element_type, AnyFloat):
            raise VerifyException(f"an iota is i32 or a float, got {result.element_type}")
        if result.is_psum:
            raise VerifyException("an iota lies in sbuf")


@irdl_op_definition
class MaskOp(MemOp):
    """An i1 tile that is true where every coordinate is within its bounds. It stays an inequality, so that one can ask
    whether it always holds."""

    name = "neuron.mem.mask"
    scalars = var_operand_def(IndexType())
    access = prop_def(AccessAttr)
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "(`(` $scalars^ `)`)? $access attr-dict `->` type($result)"

    def __init__(self, coordinates: Coordinates, result_type: Attribute):
        """`coordinates` are over SSA values."""
        access, scalars = closed(coordinates)
        super().__init__(operands=[scalars], properties={"access": access}, result_types=[result_type])

    def over(self, coordinates: Coordinates) -> MaskOp:
        """The same operation with other coordinates, over SSA values."""
        return MaskOp(coordinates, self.result.type)

    @property
    def over_values(self) -> Coordinates:
        """The coordinates over the SSA values of the scalars."""
        return opened(self.access.data, self.scalars)

    def verify_(self) -> None:
        super().verify_()
        type_ = tile_type(self.result)
        verify_coordinates(self.access.data, type_.sizes, len(self.scalars), [])
        if any(part.stride or not part.is_bounded for part in self.access.data):
            raise VerifyException("a mask has no memory: its coordinates have bounds and stride 0")
        if type_.element_type != IntegerType(1):
            raise VerifyException("a mask is i1")


@irdl_op_definition
class UnaryOp(MemOp):
    """A function of every element."""

    name = "neuron.mem.unary"
    function = prop_def(FunctionAttr)
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$function $source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        lie_alike(self.source, self.result)


@irdl_op_definition
class BinaryOp(MemOp):
    """An operator on two tiles that lie alike, or on a tile and a scalar: on integers, or on floats and truth values.
    A comparison gives i1."""

    name = "neuron.mem.binary"
    op = prop_def(AluAttr)
    lhs = operand_def(_TILE_OR_SCALAR)
    rhs = operand_def(_TILE_OR_SCALAR)
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$op $lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if self.op.data in UNARY:
            raise VerifyException(f"{self.op.data} takes one operand")
        if not isinstance(self.lhs.type, TileType) and not isinstance(self.rhs.type, TileType):
            raise VerifyException("one operand must be a tile")
        lie_alike(self.lhs, self.rhs, self.result)
        compares = self.op.data in COMPARISONS
        if self.op.data not in _ON_MASKS and compares != (tile_type(self.result).element_type == IntegerType(1)):
            raise VerifyException("comparisons, and nothing else, give i1")
        self._verify_kinds()

    def _verify_kinds(self) -> None:
        """What no engine combines."""
        op, types = self.op.data, [v.type.element_type for v in self.operands if isinstance(v.type, TileType)]
        got = " and ".join(dict.fromkeys(map(str, types)))
        are_integers = {dtype(type_).kind in ("int", "uint") for type_ in types}
        if len(are_integers) > 1:
            raise VerifyException(f"{op} takes two tiles of integers or two of other numbers, got {got}; cast one")
        if op in BITWISE and False in are_integers:
            raise VerifyException(f"{op} takes integers, got {got}; bitcast floats")
        if op is Alu.DIVIDE and not all(isinstance(type_, AnyFloat) for type_ in types):
            raise VerifyException(f"{op} takes floats, got {got}")
        if True in are_integers and any(isinstance(v.type, AnyFloat) for v in self.operands):
            raise VerifyException(f"{op} of {got} takes a scalar that is an integer")


@irdl_op_definition
class SelectOp(MemOp):
    """`on_true` where the condition holds, else `on_false`; either may be a scalar."""

    name = "neuron.mem.select"
    condition = operand_def(TileType)
    on_true = operand_def(_TILE_OR_SCALAR)
    on_false = operand_def(_TILE_OR_SCALAR)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = (
        "$condition `,` $on_true `,` $on_false attr-dict `:` type($condition) `,` type($on_true) `,`"
        " type($on_false) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        lie_alike(self.condition, self.on_true, self.on_false, self.result)
        if tile_type(self.condition).element_type != IntegerType(1):
            raise VerifyException("the condition must be i1")


@irdl_op_definition
class CastOp(MemOp, HasFolderInterface):
    """Converts the element type."""

    name = "neuron.mem.cast"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        lie_alike(self.source, self.result)

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.source,) if self.source.type == self.result.type else None


@irdl_op_definition
class BitcastOp(MemOp):
    """The same bits, which stay where they are, as elements of another type that is as wide."""

    name = "neuron.mem.bitcast"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        lie_alike(self.source, self.result)
        verify_as_wide(tile_type(self.source).element_type, tile_type(self.result).element_type)


@irdl_op_definition
class BroadcastOp(MemOp):
    """Repeats free dimensions of size 1; data does not cross partitions or leave its space."""

    name = "neuron.mem.broadcast"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    @property
    def axes(self) -> list[int]:
        """The dimensions that are repeated."""
        sizes = zip(tile_type(self.source).sizes, tile_type(self.result).sizes, strict=True)
        return [d for d, (have, want) in enumerate(sizes) if have != want]

    def verify_(self) -> None:
        super().verify_()
        src, dst = tile_type(self.source), tile_type(self.result)
        if len(src.sizes) != len(dst.sizes) or any(s not in (1, d) for s, d in zip(src.sizes, dst.sizes, strict=True)):
            raise VerifyException(f"shape {list(src.sizes)} does not broadcast to {list(dst.sizes)}")
        wanted = dst.with_layout(dst.layout.unspread(self.axes))
        if src.with_layout(wanted.layout) != wanted or not src.layout.provides(wanted.layout):
            raise VerifyException(f"a broadcast to {dst} takes {wanted}, got {src}")


@irdl_op_definition
class RelabelOp(MemOp):
    """The same bytes under another logical shape, nothing moves: `permute` gives dimension `d` of the result the
    source's dimension `permute[d]`, `reshape` then merges and splits dimensions in row-major order, where the layout
    allows it."""

    name = "neuron.mem.relabel"
    source = operand_def(TileType)
    permute = opt_prop_def(DenseArrayBase.constr(i64))
    reshape = opt_prop_def(DenseArrayBase.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$source (`permute` $permute^)? (`reshape` $reshape^)? attr-dict `:` type($source) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        steps = [None if step is None else step.get_values() for step in (self.permute, self.reshape)]
        layout = relabelled(tile_type(self.source).layout, *steps)
        if self.result.type != (wanted := tile_type(self.source).with_layout(layout)):
            raise VerifyException(f"the result must be {wanted}, got {self.result.type}")


def relabelled(layout: Layout, permute: Sequence[int] | None = None, reshape: Sequence[int] | None = None) -> Layout:
    """What `relabel` makes of a layout. Raises VerifyException where elements would have to move."""
    if permute is not None:
        if sorted(permute) != list(range(len(layout.shape))):
            raise VerifyException(f"{list(permute)} is no order of {len(layout.shape)} dimensions")
        layout = layout.permuted(permute)
    if reshape is not None:
        try:
            layout = layout.reshaped(reshape)
        except LayoutError as reason:
            raise VerifyException(f"what lies like {layout} can't be relabelled {list(reshape)}: {reason}") from None
    return layout


@irdl_op_definition
class ConvertOp(MemOp, HasFolderInterface):
    """The same value in another layout or space: always legal, never implicit. `by`, once lower-converts has chosen it,
    says what it becomes."""

    name = "neuron.mem.convert"
    source = operand_def(TileType)
    by = opt_prop_def(WayAttr)
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source (`by` $by^)? attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        src, dst = tile_type(self.source), tile_type(self.result)
        if (src.sizes, src.element_type) != (dst.sizes, dst.element_type):
            raise VerifyException(f"a convert keeps shape and element type, got {src} and {dst}")
        if self.by is not None and (reason := why_not(self.by.data, src, dst, target_of(self))) is not None:
            raise VerifyException(f"by {self.by.data}: {reason}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        if self.source.type == self.result.type:
            return (self.source,)
        return None


@irdl_op_definition
class ScalarOp(MemOp):
    """The one element of a tile as a number that bounds, addresses and conditions may use: an i32 as an index, a truth
    value as i1."""

    name = "neuron.mem.scalar"
    source = operand_def(TileType)
    result = result_def(base(IndexType) | base(IntegerType))
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        source = tile_type(self.source)
        if math.prod(source.sizes) != 1:
            raise VerifyException(f"a scalar is made of a tile of one element, got {list(source.sizes)}")
        if source.is_psum:
            raise VerifyException("a sequencer reads sbuf, not psum; convert the tile")
        if (source.element_type, self.result.type) not in _SCALARS:
            raise VerifyException(f"an i32 becomes an index and an i1 an i1, got {source} -> {self.result.type}")


NeuronMem = Dialect(
    "neuron.mem",
    [
        LoadOp,
        StoreOp,
        FillOp,
        IotaOp,
        MaskOp,
        UnaryOp,
        BinaryOp,
        SelectOp,
        CastOp,
        BitcastOp,
        BroadcastOp,
        RelabelOp,
        ReduceOp,
        LastOp,
        ScanOp,
        FlipOp,
        ScalarOp,
        EmptyOp,
        SliceOp,
        InsertOp,
        AccumulatorOp,
        MatmulOp,
        ConvertOp,
    ],
    [SpaceAttr, LayoutAttr, TileType, WayAttr, PlacesAttr],
    [ArithConstants()],
)
