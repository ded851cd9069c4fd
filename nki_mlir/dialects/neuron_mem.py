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
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    Signedness,
    UnitAttr,
    i64,
)
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import (
    Attribute,
    Dialect,
    Operation,
    SSAValue,
)
from xdsl.irdl import (
    IRDLOperation,
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
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind, MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.dtypes import dtype, f32
from nki_mlir.dialects.folding import ArithConstants
from nki_mlir.dialects.instructions import COMPARISONS, FLOATS, UNARY, Alu, AluAttr, FunctionAttr
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.neuron_mem_types import LayoutAttr, SpaceAttr, TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import ReductionAttr, element_of, verify_access, verify_other, verify_undefined
from nki_mlir.dialects.ways import WayAttr, is_dealt, why_not


def _lie_alike(*values: SSAValue) -> None:
    """Full operands and results have one shape, one layout and one space."""
    types = [v.type for v in values if isinstance(v.type, TileType)]
    for other in types[1:]:
        if (other.layout, other.space) != (types[0].layout, types[0].space):
            raise VerifyException(f"operands and result must lie alike, got {types[0]} and {other}; convert one")


class MemOp(IRDLOperation):
    """An operation on tiles; its results fit the memories of the target."""

    def verify_(self) -> None:
        for result in self.results:
            if isinstance(result.type, TileType):
                self._verify_fits(result.type)

    def _verify_fits(self, type_: TileType) -> None:
        target = target_of(self)
        memory = target.memory
        if type_.layout.partitions > memory.partitions:
            raise VerifyException(f"{type_} spans {type_.layout.partitions} partitions; there are {memory.partitions}")
        if type_.is_psum and (type_.element_type != f32 or type_.bytes > memory.psum_bytes):
            raise VerifyException(f"psum holds f32, {memory.psum_bytes} bytes of it on each partition, got {type_}")


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


def _verify_access(
    memory: SSAValue, tile: SSAValue, strides: DenseArrayBase[IntegerType], valid: Sequence[SSAValue]
) -> None:
    type_ = tile_type(tile)
    verify_access(type_.sizes, strides.get_values(), valid)
    if element_of(memory) != type_.element_type:
        raise VerifyException(f"a transfer keeps the element type {element_of(memory)}, got {type_.element_type}")
    if type_.is_psum:
        raise VerifyException("DMA reaches HBM and SBUF, not PSUM")


@irdl_op_definition
class LoadOp(MemOp):
    """Moves a tile from HBM to SBUF; addressed as `tile.read` is."""

    name = "neuron.mem.load"
    source = operand_def(MemRefType)
    offset = operand_def(IndexType())
    valid = var_operand_def(IndexType())
    strides = prop_def(DenseArrayBase.constr(i64))
    other = opt_prop_def(base(FloatAttr) | base(IntegerAttr))
    undefined = opt_prop_def(UnitAttr)
    result = result_def(TileType)
    traits = traits_def(MemoryReadEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$source `[` $offset `]` `strides` $strides (`valid` `[` $valid^ `]`)? (`other` $other^)?"
        " (`undefined` $undefined^)? attr-dict"
        " `:` type($source) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        _verify_access(self.source, self.result, self.strides, self.valid)
        verify_other(self.other, tile_type(self.result).element_type)
        verify_undefined(self.undefined, self.other, bool(self.valid))


@irdl_op_definition
class StoreOp(MemOp):
    """Moves a tile from SBUF to HBM; addressed as `tile.write` is."""

    name = "neuron.mem.store"
    value = operand_def(TileType)
    dest = operand_def(MemRefType)
    offset = operand_def(IndexType())
    valid = var_operand_def(IndexType())
    strides = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(MemoryWriteEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$value `to` $dest `[` $offset `]` `strides` $strides (`valid` `[` $valid^ `]`)? attr-dict"
        " `:` type($value) `->` type($dest)"
    )

    def verify_(self) -> None:
        super().verify_()
        _verify_access(self.dest, self.value, self.strides, self.valid)


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
    """An i1 tile that is true where every index is below its dimension's valid extent."""

    name = "neuron.mem.mask"
    valid = var_operand_def(IndexType())
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "`[` $valid `]` attr-dict `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if len(self.valid) != len(tile_type(self.result).sizes):
            raise VerifyException("one valid extent for each dimension")
        if tile_type(self.result).element_type != IntegerType(1):
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
        _lie_alike(self.source, self.result)


@irdl_op_definition
class BinaryOp(MemOp):
    """An operator on two tiles that lie alike, or on a tile and a scalar; a comparison gives i1."""

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
        _lie_alike(self.lhs, self.rhs, self.result)
        compares = self.op.data in COMPARISONS
        if self.op.data not in _ON_MASKS and compares != (tile_type(self.result).element_type == IntegerType(1)):
            raise VerifyException("comparisons, and nothing else, give i1")


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
        _lie_alike(self.condition, self.on_true, self.on_false, self.result)
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
        _lie_alike(self.source, self.result)

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.source,) if self.source.type == self.result.type else None


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
    source's dimension `permute[d]`, `squeeze` takes dimensions of size 1 away, `expand` adds such, at these places of
    the result."""

    name = "neuron.mem.relabel"
    source = operand_def(TileType)
    permute = opt_prop_def(DenseArrayBase.constr(i64))
    squeeze = opt_prop_def(DenseArrayBase.constr(i64))
    expand = opt_prop_def(DenseArrayBase.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$source (`permute` $permute^)? (`squeeze` $squeeze^)? (`expand` $expand^)? attr-dict"
        " `:` type($source) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        steps = [self.permute, self.squeeze, self.expand]
        layout = relabelled(tile_type(self.source).layout, *(() if s is None else s.get_values() for s in steps))
        if self.result.type != (wanted := tile_type(self.source).with_layout(layout)):
            raise VerifyException(f"the result must be {wanted}, got {self.result.type}")


def relabelled(
    layout: Layout, permute: Sequence[int] = (), squeeze: Sequence[int] = (), expand: Sequence[int] = ()
) -> Layout:
    """What `relabel` makes of a layout. Raises VerifyException where the layout has no such dimensions."""
    if permute:
        if sorted(permute) != list(range(len(layout.shape))):
            raise VerifyException(f"{list(permute)} is no order of {len(layout.shape)} dimensions")
        layout = layout.permuted(permute)
    for axis in sorted(squeeze, reverse=True):
        if not 0 <= axis < len(layout.shape) or layout.shape[axis] != 1:
            raise VerifyException(f"dimension {axis} of {list(layout.shape)} is not of size 1")
        layout = layout.reduced(axis)
    for axis in expand:
        if not 0 <= axis <= len(layout.shape):
            raise VerifyException(f"dimension {axis} can't be added to {len(layout.shape)}")
        layout = layout.expanded(axis)
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
        if self.by is not None and (reason := why_not(self.by.data, src, dst)) is not None:
            raise VerifyException(f"by {self.by.data}: {reason}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        if self.source.type == self.result.type:
            return (self.source,)
        return None


@irdl_op_definition
class ReduceOp(MemOp):
    """Reduces one free dimension away, by max, min or sum."""

    name = "neuron.mem.reduce"
    kind = prop_def(ReductionAttr)
    source = operand_def(TileType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$kind $source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        src, dst, axis = tile_type(self.source), tile_type(self.result), self.axis.value.data
        if self.kind.data.ignores_nan:
            raise VerifyException(f"no engine reduces by {self.kind.data}; expand-maxnum makes it of others")
        if not 0 <= axis < len(src.sizes) or not src.layout.is_free(axis):
            raise VerifyException(f"axis {axis} must be a dimension that is not on the partitions, of {src}")
        if dst != (want := src.with_layout(src.layout.reduced(axis))):
            raise VerifyException(f"the result must be {want}, got {dst}")


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


class AllocEffect(MemoryEffect):
    """An unused allocation is dead; two of them are never one."""

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        return {EffectInstance(MemoryEffectKind.ALLOC, op.results[0])}


@irdl_op_definition
class AccumulatorOp(MemOp):
    """A PSUM tile to accumulate products in, that nothing has been added to yet."""

    name = "neuron.mem.accumulator"
    result = result_def(TileType)
    traits = traits_def(AllocEffect())
    assembly_format = "attr-dict `:` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if not tile_type(self.result).is_psum:
            raise VerifyException("an accumulator lies in psum")


@irdl_op_definition
class MatmulOp(MemOp):
    """`acc + lhs @ rhs` of `[M, K]` and `[K, N]` in PSUM. K is dealt out over the partitions of both. The sum takes the
    place of `acc`, which has no other use.

    `part [m, n, k]` restricts it to one piece of the size that the array takes: rows and terms from 128 * m and 128 * k
    on, columns from 512 * n on; the rest of `acc` stays."""

    name = "neuron.mem.matmul"
    lhs = operand_def(TileType)
    rhs = operand_def(TileType)
    acc = operand_def(TileType)
    part = opt_prop_def(DenseArrayBase.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$lhs `,` $rhs `acc` $acc (`part` $part^)? attr-dict"
        " `:` type($lhs) `,` type($rhs) `,` type($acc) `->` type($result)"
    )

    @property
    def array(self) -> tuple[int, int, int]:
        """The largest M, N and K of one piece, on the target."""
        limits = target_of(self).limits
        return limits.stationary_free, limits.moving_free, limits.partitions

    @property
    def parts(self) -> tuple[int, int, int]:
        """How many pieces M, N and K make."""
        (rows, terms), columns = tile_type(self.lhs).sizes, tile_type(self.rhs).sizes[1]
        m, n, k = self.array
        return -(-rows // m), -(-columns // n), -(-terms // k)

    def verify_(self) -> None:
        super().verify_()
        lhs, rhs, out = tile_type(self.lhs), tile_type(self.rhs), tile_type(self.result)
        if len(lhs.sizes) != 2 or len(rhs.sizes) != 2 or lhs.sizes[1] != rhs.sizes[0]:
            raise VerifyException(f"shapes {list(lhs.sizes)} and {list(rhs.sizes)} do not multiply")
        m, _, k = self.array
        if not is_dealt(lhs.layout, 1, k) or not is_dealt(rhs.layout, 0, k):
            raise VerifyException("the contraction dimension must be on the partitions: dim 1 of lhs and dim 0 of rhs")
        if lhs.is_psum or rhs.is_psum or not out.is_psum:
            raise VerifyException("a matmul reads sbuf and writes psum")
        if lhs.element_type not in FLOATS or rhs.element_type not in FLOATS:
            raise VerifyException(f"a matmul multiplies floats, got {lhs.element_type} and {rhs.element_type}")
        if out.sizes != (lhs.sizes[0], rhs.sizes[1]) or not is_dealt(out.layout, 0, m):
            raise VerifyException(f"the result must be {[lhs.sizes[0], rhs.sizes[1]]} with dim 0 on the partitions")
        self._verify_banks(out)
        if self.acc.type != out:
            raise VerifyException(f"'acc' must have the result's type, got {self.acc.type}")
        if self.acc.has_more_than_one_use():
            raise VerifyException("the sum takes the place of 'acc', which must have no other use")
        if self.part is not None:
            part = self.part.get_values()
            if len(part) != 3 or any(not 0 <= p < n for p, n in zip(part, self.parts, strict=True)):
                raise VerifyException(f"part {list(part)} is outside the {list(self.parts)} pieces")

    def _verify_banks(self, out: TileType) -> None:
        """The columns of a piece lie in one bank, whichever row group it is of."""
        bank = target_of(self).memory.psum_bank_bytes
        for spot in out.layout.digits(0)[1:]:
            pitch = spot.stride * dtype(out.element_type).bytes
            if bank % pitch and pitch % bank:
                raise VerifyException(f"row groups {pitch} bytes apart cross banks of {bank} bytes")


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
        BroadcastOp,
        RelabelOp,
        ReduceOp,
        ScalarOp,
        AccumulatorOp,
        MatmulOp,
        ConvertOp,
    ],
    [SpaceAttr, LayoutAttr, TileType, WayAttr],
    [ArithConstants()],
)
