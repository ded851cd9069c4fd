"""split-to-hardware-tiles: matmuls larger than the array become sequences of matmuls that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, ModuleOp, i64

from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.neuron_mem import MatmulOp, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import MEM


@dataclass(frozen=True)
class SplitToHardwareTiles(LevelPass):
    """Splits a matmul into pieces of at most 128 x 128 (stationary) by 512 (moving) columns, one PSUM bank each:

        %c = matmul %a, %b acc %z : [256, 64] by [64, 1024]
          =>
        %1 = matmul %a, %b acc %z part [0, 0, 0]
        …
        %3 = matmul %a, %b acc %2 part [0, 0, 2]
        %4 = matmul %a, %b acc %3 part [0, 1, 0]
        %5 = matmul %a, %b acc %4 part [0, 0, 3] …

    Sums take their terms together, so that the array goes on as the operands come, but each a few later than the one
    before, as many as take the array as long as a sum is on its way out of PSUM: its bank is free again while the array
    makes the others. Those that take much longer than that end together.
    Ragged ends are pieces of fewer rows, columns or terms. Element-wise operations need no splitting: a tile lies on at
    most 128 partitions from `place` on.
    """

    name = "split-to-hardware-tiles"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        prices = Prices(target_of(op))
        for matmul in [inner for inner in operations(op) if isinstance(inner, MatmulOp) and inner.part is None]:
            if matmul.parts != (1, 1, 1):
                _split(matmul, prices)


def _split(matmul: MatmulOp, prices: Prices) -> None:
    rows, columns, terms = matmul.parts
    lag = _lag(matmul, prices)
    emit, acc = Emitter.before(matmul), matmul.acc
    sums = enumerate(product(range(rows), range(columns)))
    ranks = sorted((k + lag * number, number, m, n, k) for number, (m, n) in sums for k in range(terms))
    for _, _, m, n, k in ranks:
        part = DenseArrayBase.from_list(i64, [m, n, k])
        operands = [matmul.lhs, matmul.rhs, acc]
        acc = emit.value(
            MatmulOp.create(operands=operands, result_types=[matmul.result.type], properties={"part": part})
        )
    matmul.result.replace_all_uses_with(acc)
    matmul.detach()
    matmul.erase()


def _lag(matmul: MatmulOp, prices: Prices) -> int:
    """So many terms later than the sum before it does each sum begin, and end, as of whole banks; none where a sum is
    out of PSUM long before the next term is done."""
    rows, columns, terms = matmul.array
    element, found = tile_type(matmul.lhs).element_type, min(columns, tile_type(matmul.rhs).sizes[1])
    if 2 * prices.leave(found) < prices.product(rows, found, terms, element):
        return 0
    return max(1, round(prices.leave(columns) / prices.product(rows, columns, terms, element)))
