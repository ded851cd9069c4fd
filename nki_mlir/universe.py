"""What plain `xdsl-opt` and other xDSL tools see of this package.

Every xDSL tool imports this module when it starts, so nothing of the package is imported before a dialect or a pass is
asked for. xDSL looks a lazily registered dialect up by the part of an operation's name before the first dot: the three
`neuron.*` dialects are therefore one entry, `neuron`.
"""

from __future__ import annotations

from xdsl.ir import Dialect
from xdsl.universe import Universe

from nki_mlir.passes import our_passes


def _neuron() -> Dialect:
    from nki_mlir.dialects import neuron_umbrella

    return neuron_umbrella()


def _tile() -> Dialect:
    from nki_mlir.dialects import tile_dialect

    return tile_dialect()


UNIVERSE = Universe(all_dialects={"neuron": _neuron, "tile": _tile}, all_passes=dict(our_passes()))
