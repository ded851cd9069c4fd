"""Products of `neuron.mem`, and the tiles of PSUM that they add to."""

from __future__ import annotations

from xdsl.dialects.builtin import DenseArrayBase, i64
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import FLOATS
from nki_mlir.dialects.neuron_mem_scans import AllocEffect, MemOp
from nki_mlir.dialects.neuron_mem_types import TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.ways import is_dealt, is_in_runs


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

    M is dealt out as well, or lies in runs: of its rows, as many follow one another on a partition as there are pieces.

    `part [m, n, k]` restricts it to one piece of the size that the array takes: terms from 128 * k on, columns from
    512 * n on, and rows from 128 * m on, or row m of each run; the rest of `acc` stays."""

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

    @property
    def piece(self) -> tuple[range, range, range]:
        """The rows, columns and terms that it restricts itself to; all of them where that is one piece."""
        part = self.part.get_values() if self.part is not None else (0, 0, 0)
        (rows, terms), columns = tile_type(self.lhs).sizes, tile_type(self.rhs).sizes[1]
        sizes = zip(part, self.array, (rows, columns, terms), strict=True)
        m, n, k = (range(at * size, min((at + 1) * size, whole)) for at, size, whole in sizes)
        if self.is_in_runs:
            m = range(part[0], rows, self.parts[0])
        return m, n, k

    @property
    def is_in_runs(self) -> bool:
        """Whether the rows of a piece are one of each partition, and not neighbours."""
        layout = tile_type(self.result).layout
        return is_in_runs(layout, 0) and layout.digits(0)[0].size == self.parts[0]

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
        is_placed = is_dealt(out.layout, 0, m) or self.is_in_runs
        if out.sizes != (lhs.sizes[0], rhs.sizes[1]) or not is_placed:
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
        for spot in [one for one in out.layout.digits(0) if not one.on_partitions]:
            pitch = spot.stride * dtype(out.element_type).bytes
            if bank % pitch and pitch % bank:
                raise VerifyException(f"row groups {pitch} bytes apart cross banks of {bank} bytes")
