"""split-to-hardware-tiles: matmuls larger than the array become sequences of matmuls that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, ModuleOp, i64

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.neuron_mem import MatmulOp
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import MEM

_LAG = 4
"""So many terms later than the sum before it does each sum begin, and end: as long as engines take for a bank."""


@dataclass(frozen=True)
class SplitToHardwareTiles(LevelPass):
    """Splits a matmul into pieces of at most 128 x 128 (stationary) by 512 (moving) columns, one PSUM bank each:

        %c = matmul %a, %b acc %z : [256, 64] by [64, 1024]
          =>
        %1 = matmul %a, %b acc %z part [0, 0, 0]
        …
        %5 = matmul %a, %b acc %4 part [0, 0, 4]
        %6 = matmul %a, %b acc %5 part [0, 1, 0]
        %7 = matmul %a, %b acc %6 part [0, 0, 5] …

    Sums take their terms together, so that the array goes on as the operands come, but each a few later than the one
    before, so that one is taken out of PSUM, and its bank is free again, while the array makes the others.
    Ragged ends are pieces of fewer rows, columns or terms. Element-wise operations need no splitting: a tile lies on at
    most 128 partitions from `place` on.
    """

    name = "split-to-hardware-tiles"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for matmul in [inner for inner in operations(op) if isinstance(inner, MatmulOp) and inner.part is None]:
            if matmul.parts != (1, 1, 1):
                _split(matmul)


def _split(matmul: MatmulOp) -> None:
    rows, columns, terms = matmul.parts
    emit, acc = Emitter.before(matmul), matmul.acc
    sums = enumerate(product(range(rows), range(columns)))
    ranks = sorted((k + _LAG * number, number, m, n, k) for number, (m, n) in sums for k in range(terms))
    for _, _, m, n, k in ranks:
        part = DenseArrayBase.from_list(i64, [m, n, k])
        operands = [matmul.lhs, matmul.rhs, acc]
        acc = emit.value(
            MatmulOp.create(operands=operands, result_types=[matmul.result.type], properties={"part": part})
        )
    matmul.result.replace_all_uses_with(acc)
    matmul.detach()
    matmul.erase()
