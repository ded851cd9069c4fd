"""The four dialects. `load_all` is for our own tools; the umbrella is for plain `xdsl-opt`, which resolves names by the
part before the first dot."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.ir import Dialect

LEVELS = ("tile", "neuron.mem", "neuron.engine", "neuron.isa")


def _neuron_parts() -> list[Dialect]:
    from nki_mlir.dialects.neuron_engine import NeuronEngine
    from nki_mlir.dialects.neuron_isa import NeuronIsa
    from nki_mlir.dialects.neuron_mem import NeuronMem

    return [NeuronMem, NeuronEngine, NeuronIsa]


def tile_dialect() -> Dialect:
    from nki_mlir.dialects.tile import Tile

    return Tile


def neuron_umbrella() -> Dialect:
    """The three `neuron.*` dialects as one named `neuron`."""
    from xdsl.ir import Dialect

    from nki_mlir.dialects.folding import ArithConstants

    parts = _neuron_parts()
    return Dialect(
        "neuron",
        [op for part in parts for op in part.operations],
        [attribute for part in parts for attribute in part.attributes],
        [ArithConstants()],
    )


def load_all(ctx: Context) -> None:
    """Loads what our tools parse: the standard dialects in use, ours, and `test` for test sources and sinks."""
    from xdsl.dialects.arith import Arith
    from xdsl.dialects.builtin import Builtin
    from xdsl.dialects.func import Func
    from xdsl.dialects.math import Math
    from xdsl.dialects.memref import MemRef
    from xdsl.dialects.scf import Scf
    from xdsl.dialects.tensor import Tensor
    from xdsl.dialects.test import Test
    from xdsl.ir import Dialect

    from nki_mlir.dialects.folding import ArithConstants

    carrier = Dialect("neuron", [], [], [ArithConstants()])
    for dialect in (Builtin, Func, Scf, Arith, Math, MemRef, Tensor, Test, tile_dialect(), *_neuron_parts(), carrier):
        ctx.load_dialect(dialect)
