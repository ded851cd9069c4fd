"""`neuron.mem`: where data lives. Values are tiles placed in SBUF or PSUM; every movement is an operation.

A tile's type says how a logical tensor lies on chip: which of its dimensions is on the partitions. A dimension longer
than 128 folds: index `i` lies on partition `i // fold`, at position `i % fold` of a leading free dimension. `none` puts
the whole tensor on one partition. What `place` decided is thus in the type, for every later verifier to check.
"""

from __future__ import annotations

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

from nki_mlir.dialects.folding import ArithConstants
from nki_mlir.dialects.instructions import COMPARISONS, FLOATS, UNARY, Alu, AluAttr, FunctionAttr
from nki_mlir.dialects.neuron_mem_types import (  # noqa: F401
    MOVING,
    PARTITIONS,
    PSUM_BYTES,
    SpaceAttr,
    TileType,
    partitions_for,
    tile_type,
)
from nki_mlir.dialects.tile import ReductionAttr, element_of, verify_access, verify_other, verify_undefined


def _same_placement(*values: SSAValue, space: bool = True) -> None:
    """Full operands and results lie alike: same shape, same dimension on the partitions, same space."""
    types = [v.type for v in values if isinstance(v.type, TileType)]
    for other in types[1:]:
        if (other.sizes, other.partition_dim) != (types[0].sizes, types[0].partition_dim):
            raise VerifyException(f"operands and result must lie alike, got {types[0]} and {other}")
        if space and other.space != types[0].space:
            raise VerifyException(f"only a move takes data from psum to sbuf, got {types[0]} and {other}")


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
class LoadOp(IRDLOperation):
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
        _verify_access(self.source, self.result, self.strides, self.valid)
        verify_other(self.other, tile_type(self.result).element_type)
        verify_undefined(self.undefined, self.other, bool(self.valid))


@irdl_op_definition
class StoreOp(IRDLOperation):
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
        _verify_access(self.dest, self.value, self.strides, self.valid)


@irdl_op_definition
class FillOp(IRDLOperation):
    """A tile, every element of which is the scalar."""

    name = "neuron.mem.fill"
    value = operand_def(_SCALAR)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$value attr-dict `:` type($value) `->` type($result)"

    def verify_(self) -> None:
        if self.value.type != tile_type(self.result).element_type:
            raise VerifyException(f"the scalar must be {tile_type(self.result).element_type}, got {self.value.type}")


@irdl_op_definition
class IotaOp(IRDLOperation):
    """Element `i` is `offset + sum(i[d] * strides[d])`, as a 32-bit integer or a float that holds it exactly."""

    name = "neuron.mem.iota"
    offset = operand_def(IndexType())
    strides = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$offset `strides` $strides attr-dict `->` type($result)"

    def verify_(self) -> None:
        result = tile_type(self.result)
        if len(self.strides.get_values()) != len(result.sizes):
            raise VerifyException("one stride for each dimension")
        if result.element_type != IntegerType(32) and not isinstance(result.element_type, AnyFloat):
            raise VerifyException(f"an iota is i32 or a float, got {result.element_type}")
        if result.is_psum:
            raise VerifyException("an iota lies in sbuf")


@irdl_op_definition
class MaskOp(IRDLOperation):
    """An i1 tile that is true where every index is below its dimension's valid extent."""

    name = "neuron.mem.mask"
    valid = var_operand_def(IndexType())
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "`[` $valid `]` attr-dict `->` type($result)"

    def verify_(self) -> None:
        if len(self.valid) != len(tile_type(self.result).sizes):
            raise VerifyException("one valid extent for each dimension")
        if tile_type(self.result).element_type != IntegerType(1):
            raise VerifyException("a mask is i1")


@irdl_op_definition
class UnaryOp(IRDLOperation):
    """A function of every element."""

    name = "neuron.mem.unary"
    function = prop_def(FunctionAttr)
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$function $source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        _same_placement(self.source, self.result)


@irdl_op_definition
class BinaryOp(IRDLOperation):
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
        if self.op.data in UNARY:
            raise VerifyException(f"{self.op.data} takes one operand")
        if not isinstance(self.lhs.type, TileType) and not isinstance(self.rhs.type, TileType):
            raise VerifyException("one operand must be a tile")
        _same_placement(self.lhs, self.rhs, self.result)
        compares = self.op.data in COMPARISONS
        if self.op.data not in _ON_MASKS and compares != (tile_type(self.result).element_type == IntegerType(1)):
            raise VerifyException("comparisons, and nothing else, give i1")


@irdl_op_definition
class SelectOp(IRDLOperation):
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
        _same_placement(self.condition, self.on_true, self.on_false, self.result)
        if tile_type(self.condition).element_type != IntegerType(1):
            raise VerifyException("the condition must be i1")


@irdl_op_definition
class CastOp(IRDLOperation, HasFolderInterface):
    """Converts the element type."""

    name = "neuron.mem.cast"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        _same_placement(self.source, self.result)

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.source,) if self.source.type == self.result.type else None


@irdl_op_definition
class BroadcastOp(IRDLOperation):
    """Repeats free dimensions of size 1; data does not cross partitions or leave its space."""

    name = "neuron.mem.broadcast"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        src, dst = tile_type(self.source), tile_type(self.result)
        if len(src.sizes) != len(dst.sizes) or any(s not in (1, d) for s, d in zip(src.sizes, dst.sizes, strict=True)):
            raise VerifyException(f"shape {list(src.sizes)} does not broadcast to {list(dst.sizes)}")
        physical = [(t.space, t.partition_dim, t.partitions, t.fold, t.element_type) for t in (src, dst)]
        if physical[0] != physical[1]:
            raise VerifyException(f"a broadcast keeps space, partitions and type, got {src} and {dst}")


@irdl_op_definition
class RelabelOp(IRDLOperation):
    """The same bytes under another logical shape: dimensions of size 1 inserted, or a matrix and its transpose where
    the partitions hold the other dimension. Nothing moves."""

    name = "neuron.mem.relabel"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        src, dst = tile_type(self.source), tile_type(self.result)
        physical = [(t.space, t.partitions, [s for s in t.free if s != 1], t.element_type) for t in (src, dst)]
        if physical[0] != physical[1]:
            raise VerifyException(f"a relabelling keeps space, partitions, free sizes and type, got {src} and {dst}")


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """The same matrix with its other dimension on the partitions: a move across partitions, within SBUF."""

    name = "neuron.mem.transpose"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        src, dst = tile_type(self.source), tile_type(self.result)
        if len(src.sizes) != 2 or src.sizes != dst.sizes or src.element_type != dst.element_type:
            raise VerifyException(f"a transpose keeps a matrix's shape and type, got {src} and {dst}")
        if {src.partition_dim, dst.partition_dim} != {0, 1} or src.is_psum or dst.is_psum:
            raise VerifyException("a transpose takes one dimension off the partitions and puts the other on, in sbuf")
        if src.fold != 1 or dst.fold != 1:
            raise VerifyException(
                f"a transpose takes at most {PARTITIONS} x {PARTITIONS} elements, got {list(src.sizes)}"
            )


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """Reduces one free dimension away."""

    name = "neuron.mem.reduce"
    kind = prop_def(ReductionAttr)
    source = operand_def(TileType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$kind $source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        src, dst, axis = tile_type(self.source), tile_type(self.result), self.axis.value.data
        if not 0 <= axis < len(src.sizes) or axis == src.partition_dim:
            raise VerifyException(f"axis {axis} must be a dimension that is not on the partitions, of {src}")
        kept = [s for d, s in enumerate(src.sizes) if d != axis]
        dim = src.partition_dim
        dim = None if dim is None else dim - (axis < dim)
        if dst != (want := TileType.of(src.space.data, kept, dim, src.element_type)):
            raise VerifyException(f"the result must be {want}, got {dst}")


class AllocEffect(MemoryEffect):
    """An unused allocation is dead; two of them are never one."""

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        return {EffectInstance(MemoryEffectKind.ALLOC, op.results[0])}


@irdl_op_definition
class AccumulatorOp(IRDLOperation):
    """A PSUM tile to accumulate products in, that nothing has been added to yet."""

    name = "neuron.mem.accumulator"
    result = result_def(TileType)
    traits = traits_def(AllocEffect())
    assembly_format = "attr-dict `:` type($result)"

    def verify_(self) -> None:
        if not tile_type(self.result).is_psum:
            raise VerifyException("an accumulator lies in psum")


@irdl_op_definition
class MatmulOp(IRDLOperation):
    """`acc + lhs @ rhs` of `[M, K]` and `[K, N]` in PSUM. K is on the partitions of both. The sum takes the place of
    `acc`, which has no other use.

    `part [m, n, k]` restricts it to one piece of the size that the array takes: rows at position m of the fold of M,
    columns from 512 * n on, terms at position k of the fold of K; the rest of `acc` stays."""

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
    def parts(self) -> tuple[int, int, int]:
        """How many pieces M, N and K make."""
        lhs, out = tile_type(self.lhs), tile_type(self.result)
        return out.fold, -(-out.sizes[1] // MOVING), lhs.fold

    def verify_(self) -> None:
        lhs, rhs, out = tile_type(self.lhs), tile_type(self.rhs), tile_type(self.result)
        if len(lhs.sizes) != 2 or len(rhs.sizes) != 2 or lhs.sizes[1] != rhs.sizes[0]:
            raise VerifyException(f"shapes {list(lhs.sizes)} and {list(rhs.sizes)} do not multiply")
        if lhs.partition_dim != 1 or rhs.partition_dim != 0:
            raise VerifyException("the contraction dimension must be on the partitions: dim 1 of lhs and dim 0 of rhs")
        if lhs.is_psum or rhs.is_psum or not out.is_psum:
            raise VerifyException("a matmul reads sbuf and writes psum")
        if lhs.element_type not in FLOATS or rhs.element_type not in FLOATS:
            raise VerifyException(f"a matmul multiplies floats, got {lhs.element_type} and {rhs.element_type}")
        if out.sizes != (lhs.sizes[0], rhs.sizes[1]) or out.partition_dim != 0:
            raise VerifyException(f"the result must be {[lhs.sizes[0], rhs.sizes[1]]} with dim 0 on the partitions")
        if self.acc.type != out:
            raise VerifyException(f"'acc' must have the result's type, got {self.acc.type}")
        if self.acc.has_more_than_one_use():
            raise VerifyException("the sum takes the place of 'acc', which must have no other use")
        if self.part is not None:
            part = self.part.get_values()
            if len(part) != 3 or any(not 0 <= p < n for p, n in zip(part, self.parts, strict=True)):
                raise VerifyException(f"part {list(part)} is outside the {list(self.parts)} pieces")


@irdl_op_definition
class MoveOp(IRDLOperation):
    """Copies a tile from PSUM to SBUF."""

    name = "neuron.mem.move"
    source = operand_def(TileType)
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        _same_placement(self.source, self.result, space=False)
        if not tile_type(self.source).is_psum or tile_type(self.result).is_psum:
            raise VerifyException("a move takes a tile from psum to sbuf")


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
        TransposeOp,
        ReduceOp,
        AccumulatorOp,
        MatmulOp,
        MoveOp,
    ],
    [SpaceAttr, TileType],
    [ArithConstants()],
)
