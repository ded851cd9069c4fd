"""What operations of `neuron.mem` have in common, and those along one free dimension: reductions, scans, its
last place, and it backwards."""

from __future__ import annotations

from xdsl.dialects.builtin import AnyFloat, AnyFloatConstr, IntegerAttr, UnitAttr, i64
from xdsl.ir import Operation, SSAValue
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
)
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind, Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.dtypes import f32
from nki_mlir.dialects.neuron_mem_types import TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile_scans import verify_goes_on, verify_scaled
from nki_mlir.dialects.tile_types import Reduction, ReductionAttr


def lie_alike(*values: SSAValue) -> None:
    """Full operands and results have one shape, one layout and one space."""
    types = [v.type for v in values if isinstance(v.type, TileType)]
    for other in types[1:]:
        if (other.layout, other.space) != (types[0].layout, types[0].space):
            raise VerifyException(f"operands and result must lie alike, got {types[0]} and {other}; convert one")


class AllocEffect(MemoryEffect):
    """An unused allocation is dead; two of them are never one."""

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        return {EffectInstance(MemoryEffectKind.ALLOC, op.results[0])}


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


@irdl_op_definition
class ReduceOp(MemOp):
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
        super().verify_()
        src, dst, axis = tile_type(self.source), tile_type(self.result), self.axis.value.data
        _verify_kind(self.kind.data, "reduces", src)
        if not 0 <= axis < len(src.sizes) or not src.layout.is_free(axis):
            raise VerifyException(f"axis {axis} must be a dimension that is not on the partitions, of {src}")
        if dst != (want := src.with_layout(src.layout.reduced(axis))):
            raise VerifyException(f"the result must be {want}, got {dst}")


def _verify_kind(kind: Reduction, does: str, type_: TileType) -> None:
    if kind.ignores_nan:
        raise VerifyException(f"no engine {does} by {kind}; expand-maxnum makes it of others")
    if kind.is_bitwise and isinstance(type_.element_type, AnyFloat):
        raise VerifyException(f"{kind} is for integers, got {type_}")


def _verify_along(type_: TileType, axis: int) -> None:
    """A dimension that is one digit in the free dimension: a pattern has one step for it."""
    if not 0 <= axis < len(type_.sizes) or not type_.layout.is_along(axis):
        raise VerifyException(f"axis {axis} must be one digit in the free dimension, of {type_}")


@irdl_op_definition
class LastOp(MemOp):
    """The last place along a free dimension, which the result does not have."""

    name = "neuron.mem.last"
    source = operand_def(TileType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        src, axis = tile_type(self.source), self.axis.value.data
        _verify_along(src, axis)
        if self.result.type != (want := src.with_layout(src.layout.reduced(axis))):
            raise VerifyException(f"the result must be {want}, got {self.result.type}")


@irdl_op_definition
class ScanOp(MemOp):
    """Element i is elements 0 to i along a free dimension combined; with a `scale` and an `initial` element, as of
    `tile.scan`. The latter may be a scalar."""

    name = "neuron.mem.scan"
    kind = prop_def(ReductionAttr)
    source = operand_def(TileType)
    scale = opt_operand_def(TileType)
    initial = opt_operand_def(base(TileType) | AnyFloatConstr)
    axis = prop_def(IntegerAttr.constr(i64))
    reverse = opt_prop_def(UnitAttr)
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        "$kind $source (`scale` $scale^ `:` type($scale))? (`initial` $initial^ `:` type($initial))?"
        " `axis` $axis (`reverse` $reverse^)? attr-dict `:` type($source) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        type_, axis = tile_type(self.source), self.axis.value.data
        _verify_kind(self.kind.data, "scans", type_)
        _verify_along(type_, axis)
        full = [self.source, *([] if self.scale is None else [self.scale]), self.result]
        lie_alike(*full)
        if any(tile_type(v).element_type != type_.element_type for v in full):
            raise VerifyException("a scan keeps the element type")
        if self.scale is not None:
            verify_scaled(self.kind.data, type_.element_type)
        if self.initial is not None:
            verify_goes_on(self.kind.data, type_.element_type)
            wants = (type_.element_type, type_.with_layout(type_.layout.reduced(axis)))
            if self.initial.type not in wants:
                raise VerifyException(f"the initial element must be {wants[1]} or a scalar, got {self.initial.type}")


@irdl_op_definition
class FlipOp(MemOp):
    """One free dimension backwards."""

    name = "neuron.mem.flip"
    source = operand_def(TileType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TileType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source `axis` $axis attr-dict `:` type($source) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        _verify_along(tile_type(self.source), self.axis.value.data)
        if self.result.type != self.source.type:
            raise VerifyException(f"the result must be {self.source.type}, got {self.result.type}")
