"""How long the tile values of `neuron.engine` live, and which of them may have one place.

Time is counted in quarters of an operation's number in program order: what it reads, it reads at `AT`; what it writes,
at `AFTER`, when it may still read what it does not read element by element with that; what is copied in front of it is
copied `BEFORE` it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, WhileOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.classes import Classes
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.access import Access
from nki_mlir.dialects.neuron_engine import EmptyOp, EngineInstruction, ViewOp, view_of
from nki_mlir.dialects.neuron_mem_types import TileType

BEFORE, AT, AFTER = -2, 0, 2
_STEP = 4


class Span(NamedTuple):
    """From the moment when a value is there to that when it is read last, inclusive."""

    first: int
    last: int


def users(value: SSAValue) -> Iterator[tuple[Operation, ViewOp | None]]:
    """The operations that reach a tile, and the views through which they do, if any."""
    for use in value.uses:
        if isinstance(view := use.operation, ViewOp):
            yield from ((inner.operation, view) for inner in view.result.uses)
        else:
            yield use.operation, None


def _reads(user: Operation, view: ViewOp) -> bool:
    """Whether a user of a view reads it, be it that it writes to it too."""
    if not isinstance(user, EngineInstruction):
        return True
    return any(user.operand_value(o.name) is view.result for o in user.instruction.operands if o.role != "dst")


def may_overwrite(op: EngineInstruction, view: ViewOp) -> bool:
    """Whether an instruction may write to the very bytes that it reads through a view: it reads each element before it
    writes that element, or writes elsewhere."""
    for operand in op.instruction.operands:
        written = view_of(op.operand_value(operand.name)) if operand.role == "dst" else None
        if written is None or not written.access.on_chip:
            continue
        if written.offset is not None or view.offset is not None:
            same = written.offset is view.offset and written.access == view.access
        else:
            if not _meet(written.access, view.access):
                continue
            same = written.access == view.access
        if not same or operand.shape != "full":
            return False
    return True


def _meet(a: Access, b: Access) -> bool:
    """Whether two accesses to one place have bytes in common, or might."""
    (low, high), (other_low, other_high) = a.extent, b.extent
    lanes = a.start < b.start + b.partitions and b.start < a.start + a.partitions
    return lanes and low < other_high and other_low < high


class Times:
    """When the operations of a function take place, and the spans of its tiles."""

    def __init__(self, func: FuncOp):
        self.order = {op: number for number, op in enumerate(operations(func))}
        self.ends: dict[Operation, int] = {}
        for op in reversed(self.order):
            inner = (self.ends[last] for region in op.regions for b in region.blocks if (last := b.last_op) is not None)
            self.ends[op] = max(inner, default=self.order[op])
        self.spans: dict[SSAValue, Span | None] = {}
        for op in self.order:
            for value in (*op.results, *(a for r in op.regions for b in r.blocks for a in b.args)):
                if isinstance(value.type, TileType):
                    self.spans[value] = self._span(value)

    def of(self, op: Operation, when: int) -> int:
        return self.order[op] * _STEP + when

    def _span(self, value: SSAValue) -> Span | None:
        """None where there is nothing in it to keep: in an empty tile that is only written to."""
        if isinstance(value.owner, EmptyOp):
            reads = [self._read(value, user, view) for user, view in users(value) if view is None or _reads(user, view)]
            return Span(min(reads), max(reads)) if reads else None
        first = self._made(value)
        return Span(first, max([first, *(self._read(value, user, view) for user, view in users(value))]))

    def _made(self, value: SSAValue) -> int:
        owner = value.owner
        if isinstance(owner, Operation):
            return self.ends[owner] * _STEP + AFTER
        parent = owner.parent_op()
        if isinstance(parent, WhileOp) and owner is parent.after_region.block:
            condition = parent.before_region.block.last_op
            assert condition is not None
            return self.of(condition, AFTER)
        assert parent is not None
        return self.of(parent, AFTER)

    def _read(self, value: SSAValue, user: Operation, view: ViewOp | None) -> int:
        """When a use needs it: at the end of a loop that does not make it, as the next iteration does too."""
        home = value.owner if isinstance(value.owner, Block) else value.owner.parent
        at, op = self.of(user, AT), user
        if isinstance(user, EngineInstruction) and user.tiles and view is not None:
            at = self.of(user, AFTER if _reads(user, view) and not may_overwrite(user, view) else AT)
        while op.parent is not home:
            outer = op.parent_op()
            assert outer is not None, "a use is within the block that makes the value"
            op = outer
            if isinstance(op, ForOp | WhileOp):
                at = self.ends[op] * _STEP + AT + 1
        return at


class Places(Classes[SSAValue]):
    """Sets of tiles that have one place each: no two of a set are alive at once."""

    def __init__(self, spans: dict[SSAValue, Span | None]):
        super().__init__()
        self._spans = {value: [] if span is None else [span] for value, span in spans.items()}
        self.members = {value: [value] for value in spans}

    def join(self, a: SSAValue, b: SSAValue) -> bool:
        """Gives two values one place, if they and all that share it are never alive at once."""
        a, b = self.of(a), self.of(b)
        if a is b:
            return True
        if len(self._spans[a]) < len(self._spans[b]):
            a, b = b, a
        if any(self._meets(a, span) for span in self._spans[b]):
            return False
        self.unite(b, a)
        self.members[a] += self.members.pop(b)
        for span in self._spans.pop(b):
            self._add(a, span)
        return True

    def hold(self, value: SSAValue, span: Span) -> None:
        """The value's place is in use for that time too."""
        self._add(self.of(value), span)

    def _meets(self, root: SSAValue, span: Span) -> bool:
        spans = self._spans[root]
        at = bisect_left(spans, span)
        return (at > 0 and spans[at - 1].last >= span.first) or (at < len(spans) and spans[at].first <= span.last)

    def _add(self, root: SSAValue, span: Span) -> None:
        """One span where several meet, or follow one another within one operation."""
        spans = self._spans[root]
        low = at = bisect_left(spans, span)
        while low > 0 and spans[low - 1].last + AFTER >= span.first:
            low -= 1
        while at < len(spans) and spans[at].first <= span.last + AFTER:
            at += 1
        merged = [*spans[low:at], span]
        spans[low:at] = [Span(min(s.first for s in merged), max(s.last for s in merged))]


def tiles(values: Iterable[SSAValue]) -> list[SSAValue]:
    """Those of the values that are tiles."""
    return [value for value in values if isinstance(value.type, TileType)]
