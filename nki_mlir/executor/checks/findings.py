"""What a check reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xdsl.ir import Operation


class Finding(NamedTuple):
    """`kind` is race, psum or overlap; `later` and `earlier` are the two instructions (or buffers) concerned."""

    kind: str
    text: str
    earlier: Operation | None
    later: Operation | None
