"""Which operations of `tile` work on elements one by one."""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.ir import Operation

from nki_mlir.dialects import tile

ELEMENTWISE: frozenset[type[Operation]] = frozenset(
    (
        arith.AddfOp,
        arith.SubfOp,
        arith.MulfOp,
        arith.DivfOp,
        arith.NegfOp,
        arith.MaximumfOp,
        arith.MinimumfOp,
        arith.MaxnumfOp,
        arith.MinnumfOp,
        arith.AddiOp,
        arith.SubiOp,
        arith.MuliOp,
        arith.DivSIOp,
        arith.DivUIOp,
        arith.RemSIOp,
        arith.RemUIOp,
        arith.FloorDivSIOp,
        arith.AndIOp,
        arith.OrIOp,
        arith.XOrIOp,
        arith.ShLIOp,
        arith.ShRSIOp,
        arith.ShRUIOp,
        arith.MaxSIOp,
        arith.MaxUIOp,
        arith.MinSIOp,
        arith.MinUIOp,
        math.AbsFOp,
        math.AbsIOp,
        math.CeilOp,
        math.CosOp,
        math.ErfOp,
        math.ExpOp,
        math.FloorOp,
        math.LogOp,
        math.RsqrtOp,
        math.SinOp,
        math.SqrtOp,
        math.TanhOp,
        math.TruncOp,
        tile.CompareOp,
        tile.SelectOp,
        tile.CastOp,
        tile.BitcastOp,
        tile.FunctionOp,
    )
)
"""What computes each element of its result from those at the same place of its operands. None has subclasses: an
operation is asked by its type, as `isinstance` asks one class after the other."""
