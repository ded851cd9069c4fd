"""Legal occurrences of every instruction of the table, at least one each: what the table-driven tests walk.

Each module here has those of one group in its `SAMPLES`; `tests/test_instruction_table.py` puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr


@dataclass(frozen=True)
class Sample:
    """One occurrence, with physical operands. `target` is the first chip on which it is legal; `before` are what has to
    precede it, such as the load of a stationary tile."""

    name: str
    engine: Engine
    operands: Mapping[str, Access | float]
    fields: Mapping[str, object] = field(default_factory=dict)
    target: str = "trn1"
    before: tuple[Sample, ...] = ()


def tile(
    type_name: str, partitions: int, *counts: int, address: int = 0, start: int = 0, space: Space = Space.SBUF
) -> Access:
    """A dense tile on chip: `counts` elements in each free dimension, from byte `address` of each partition on."""
    return Access(space, by_name(type_name).type, _dense(counts), start, partitions, Expr(address))


def hbm(tensor: str, type_name: str, *counts: int, address: int = 0) -> Access:
    """A dense piece of a tensor in HBM."""
    return Access(Space.HBM, by_name(type_name).type, _dense(counts), address=Expr(address), tensor=tensor)


def _dense(counts: tuple[int, ...]) -> tuple[Dim, ...]:
    dims: list[Dim] = []
    step = 1
    for count in reversed(counts):
        dims.insert(0, (step, count))
        step *= count
    return tuple(dims)
