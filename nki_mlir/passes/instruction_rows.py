"""Instructions that do the same several times, one time after the other, each time some elements farther on."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.arith import ConstantOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.limits import offset_of
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp


@dataclass(frozen=True, eq=False)
class Row:
    """`first` is what is done the first time. `steps` says of its operands, by number, how many elements farther on
    they begin each next time; `times` of each instruction which time it is; `others` of a buffer the ones that other
    times have in its place, if they have others."""

    first: Sequence[EngineInstruction]
    steps: Mapping[tuple[EngineInstruction, int], int]
    times: Mapping[EngineInstruction, int]
    others: Mapping[AllocOp, Collection[AllocOp]]

    def stands_still(self, buffer: AllocOp) -> bool:
        """Whether each time it is the same elements of a buffer."""
        return not any(
            step and isinstance(view := op.operands[number].owner, ViewOp) and view.source is buffer.result
            for (op, number), step in self.steps.items()
        )


def rows_of(ops: Sequence[EngineInstruction], times: int, own: Collection[AllocOp]) -> Iterator[Row]:
    """The longest rows among instructions that follow one another; `own` are the buffers that other times may have
    others of."""
    alike = list(_numbered(_likeness(op, own) for op in ops))
    start = 0
    while start + times <= len(ops):
        for length in range((len(ops) - start) // times, 0, -1):
            end, more = start + times * length, start + length
            if alike[start] == alike[more] and alike[start : end - length] == alike[more:end]:
                row = _row([ops[at : at + length] for at in range(start, end, length)], own)
                if row is not None:
                    yield row
                    start = end
                    break
        else:
            start += 1


def _numbered(keys: Iterable[Hashable]) -> Iterator[int]:
    """Equal numbers for equal ones."""
    numbers: dict[Hashable, int] = {}
    for key in keys:
        yield numbers.setdefault(key, len(numbers))


def _likeness(op: EngineInstruction, own: Collection[AllocOp]) -> Hashable:
    """Equal for instructions that differ in where their operands begin only, and in which of `own` they are."""
    return (op.name, tuple(sorted(op.properties.items())), tuple(_operand(value, own) for value in op.operands))


def _operand(value: SSAValue, own: Collection[AllocOp]) -> Hashable:
    match value.owner:
        case ViewOp() as view if not view.is_limited:
            source = view.source.owner
            return (source.result.type if isinstance(source, AllocOp) and source in own else view.source, value.type)
        case ConstantOp() as constant:
            return constant.value
        case _:
            return value


def _row(times: Sequence[Sequence[EngineInstruction]], own: Collection[AllocOp]) -> Row | None:
    """None where they don't go on by the same steps, or mix up buffers."""
    first, steps = times[0], dict[tuple[EngineInstruction, int], int]()
    names: list[dict[AllocOp, AllocOp]] = [{} for _ in times]
    for place, op in enumerate(first):
        for number, value in enumerate(op.operands):
            views = [ops[place].operands[number].owner for ops in times]
            if not isinstance(value.owner, ViewOp):
                continue
            begins = [_begin(view) for view in views]
            ways = [begin - begins[0] for begin in begins]
            if any(way != ways[1] * n for n, way in enumerate(ways)) or not ways[1].is_const:
                return None
            steps[op, number] = ways[1].const
            for view, name in zip(views, names, strict=True):
                one, other = value.owner.source.owner, view.source.owner if isinstance(view, ViewOp) else None
                if isinstance(one, AllocOp) and isinstance(other, AllocOp) and name.setdefault(one, other) is not other:
                    return None
    if any(len(set(name.values())) < len(name) for name in names):
        return None
    others = {one: {name[one] for name in names} for one in names[0]}
    numbers = {op: n for n, ops in enumerate(times) for op in ops}
    return Row(first, steps, numbers, {one: found for one, found in others.items() if found != {one}})


def _begin(view: Operation | object) -> Expr:
    assert isinstance(view, ViewOp)
    return offset_of(view)
