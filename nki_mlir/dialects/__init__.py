"""The four dialects, and how a context comes to know them: each is imported when something of it is first met.

xDSL looks a dialect up by the part of a name before the first dot, for parsing and for folding alike. The three
`neuron.*` dialects are therefore one entry, `neuron`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.ir import Dialect

LEVELS = ("tile", "neuron.mem", "neuron.engine", "neuron.isa")

STANDARD = {
    "arith": "Arith",
    "func": "Func",
    "math": "Math",
    "memref": "MemRef",
    "scf": "Scf",
    "tensor": "Tensor",
    "test": "Test",
}
"""What is used of xDSL's dialects: module -> object. `test` is the source and sink of tests."""


def tile_dialect() -> Dialect:
    from nki_mlir.dialects.tile import Tile

    return Tile


def neuron_umbrella() -> Dialect:
    """The three `neuron.*` dialects as one named `neuron`."""
    from xdsl.ir import Dialect

    from nki_mlir.dialects.folding import ArithConstants
    from nki_mlir.dialects.neuron_engine import NeuronEngine
    from nki_mlir.dialects.neuron_isa import NeuronIsa
    from nki_mlir.dialects.neuron_mem import NeuronMem

    parts = (NeuronMem, NeuronEngine, NeuronIsa)
    return Dialect(
        "neuron",
        [op for part in parts for op in part.operations],
        [attribute for part in parts for attribute in part.attributes],
        [ArithConstants()],
    )


def load_all(ctx: Context) -> None:
    """Makes the dialects known to a context: `builtin` at once, every other when something of it is first met.

    A pass may make operations of a dialect that the input doesn't mention: folding them looks the dialect up too.
    """
    from xdsl.dialects.builtin import Builtin

    ctx.load_dialect(Builtin)
    for name in STANDARD:
        ctx.register_dialect(name, _standard(name))
    ctx.register_dialect("tile", tile_dialect)
    ctx.register_dialect("neuron", neuron_umbrella)


def _standard(name: str) -> Callable[[], Dialect]:
    return lambda: getattr(import_module(f"xdsl.dialects.{name}"), STANDARD[name])
