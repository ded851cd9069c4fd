"""Lanes that a masked load left out: no value of the program's, and no program may rely on what is there.

A memset with `stands_for` fills such lanes. Where one is of a kind that the run looks for, each byte on chip has a
mark: 0, or the number of where its value comes from. A mark goes where the value goes, through copies and transposes,
to what is computed from it. It is reported where the value leaves the chip, or becomes an address: rows beyond the end
may be reduced, if nobody stores the sums. The report names the first instruction that mixed lanes with and without a
mark, where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np

from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.instructions.tensor import columns, depth, is_bit_transpose
from nki_mlir.dialects.neuron_isa import IsaInstruction, ProgramOp
from nki_mlir.errors import ExecutionError, excerpt, position
from nki_mlir.executor.machine import GRAIN, Memory, Pattern, zeroed
from nki_mlir.executor.meaning import Masked
from nki_mlir.executor.meaning.gpsimd import affine_values
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import ARITHMETIC
from nki_mlir.executor.program import DataOp
from nki_mlir.executor.reports import source, where

Write = Callable[[], None]
Marks = Array | None
"""Of each element, shaped as its operand's views: 0, or the number of the memset it comes from; None if all are 0."""

DEFAULT, STRICT = frozenset({"undefined"}), frozenset({"undefined", "unspecified"})
"""Which memsets are looked for: those that the language calls undefined, and all."""

_MOST = 255
"""Origins that are told apart; further ones count as the last."""


class _Origin(NamedTuple):
    """Where a value with a mark comes from: a memset and, behind `use`, an operand that mixed its lanes with others:
    which of them, and how to do without."""

    memset: IsaInstruction
    use: Pattern | None = None
    place: str = ""
    cure: str = ""


class _Shadow:
    """The marks of one memory's bytes; `grains` are the columns of bytes that ever had one."""

    def __init__(self, memory: Memory):
        self.marks = zeroed(*memory.data.shape)
        self.grains = np.zeros(-(-memory.capacity // GRAIN), np.bool_)

    def view(self, pattern: Pattern, address: int) -> Array:
        """Of each byte of each element."""
        shape, strides = (*pattern.shape, pattern.access.itemsize), (*pattern.strides, 1)
        return np.ndarray(shape, np.uint8, self.marks, pattern.base + address, strides)


class Undefined:
    """The marks of a run. `kinds` are the values of `stands_for` that it looks for; `by_data` once the values of
    elements have decided where a mark goes."""

    def __init__(self, kinds: frozenset[str], problems: list[ExecutionError]):
        self.kinds, self.problems = kinds, problems
        self.by_data = False
        self.origins: list[_Origin] = []
        self.numbers: dict[tuple[object, ...], int] = {}
        self.shadows: dict[int, _Shadow] = {}
        self.reported: set[tuple[int, str]] = set()

    @classmethod
    def of(cls, program: ProgramOp, strict: bool, problems: list[ExecutionError]) -> Undefined | None:
        """None where no memset of the program is of a kind to look for."""
        kinds = STRICT if strict else DEFAULT
        marked = (op for op in program.body.walk() if isinstance(op, IsaInstruction) and "stands_for" in op.properties)
        found = any(op.fields()["stands_for"] in kinds for op in marked)
        return cls(kinds, problems) if found else None

    def number(self, origin: _Origin) -> int:
        """Memsets of one load, which passes may have copied, have one number; uses in one line, too."""
        ops = (origin.memset, None if origin.use is None else origin.use.op)
        key = tuple(op and (position(op) or id(op)) for op in ops)
        if key not in self.numbers:
            self.origins.append(origin)
            self.numbers[key] = min(len(self.origins), _MOST)
        return self.numbers[key]

    def mixed(self, pattern: Pattern, marks: Array, cure: str) -> int:
        """The number for results of an operand with these marks, [partitions, elements], and of lanes without one."""
        number = int(marks.max())
        origin = self.origins[number - 1]
        if origin.use is not None:
            return number
        return self.number(_Origin(origin.memset, pattern, _place(pattern, marks), cure))

    def marks(self, pattern: Pattern, address: int) -> Marks:
        shadow = self.shadows.get(id(pattern.memory))
        if shadow is None:
            return None
        region = pattern.at(address)
        if not shadow.grains[region.grains].any():
            return None
        found = shadow.view(pattern, address).max(axis=-1)
        return found if found.any() else None

    def mark(self, pattern: Pattern, address: int, marks: Marks | Masked) -> None:
        """What is written there has these marks; elements that a mask leaves out keep theirs."""
        if not pattern.memory.on_chip:
            return
        shadow, values = self.shadows.get(id(pattern.memory)), marks.values if isinstance(marks, Masked) else marks
        region = pattern.at(address)
        if values is None and (shadow is None or not shadow.grains[region.grains].any()):
            return
        if shadow is None:
            shadow = self.shadows[id(pattern.memory)] = _Shadow(pattern.memory)
        if values is not None:
            shadow.grains[region.grains] = True
        view = shadow.view(pattern, address)
        kept = marks.mask.reshape(pattern.shape)[..., None] if isinstance(marks, Masked) else True
        np.copyto(view, 0 if values is None else values.reshape(pattern.shape)[..., None], where=kept, casting="unsafe")

    def flow(self, micro_op: DataOp) -> Flow:
        return Flow(self, micro_op)

    def require(self, pattern: Pattern, address: int) -> None:
        """Reports an operand of which any element has a mark."""
        if (marks := self.marks(pattern, address)) is not None:
            self.report(pattern, marks, _BY_VALUE)

    def report(self, pattern: Pattern, marks: Array, cure: str) -> None:
        """Once for each operand. The run goes on."""
        key = (id(pattern.op), pattern.name)
        if key in self.reported:
            return
        self.reported.add(key)
        memset, use, place, known = self.origins[int(marks.max()) - 1]
        loaded, instead = _LOADS[str(memset.fields()["stands_for"])]
        at, user = source(memset) or "a memset of this program", use or pattern
        place, cure = place or _place(pattern, marks.reshape(len(marks), -1)), known or cure
        behind = f"; {where(pattern.op)} takes what comes of them" if use is not None else ""
        text = (
            f"{where(user.op)}: {user.name} uses lanes that {loaded.format(at=at)}: {place}{behind}; {cure}, or"
            f" {instead}"
        )
        shown = [excerpt(op) for op in (memset, user.op)]
        self.problems.append(ExecutionError("\n".join([text, *filter(None, shown)]), "uninitialised"))


_LOADS = {
    "undefined": (
        "the load at {at} leaves undefined, where its mask is false",
        "fill them with nl.where(mask, tile, value)",
    ),
    "unspecified": (
        "the load at {at} leaves out, where its mask is false, and that has no `other`; they read as zero here, but"
        " the language leaves them undefined",
        "give the load the value that is meant, as `other=`",
    ),
}
"""What a memset stands for: what the load did, and how it would give a value."""
_BY_MASK, _IN_STORE = "give the same mask to what reduces them", "leave them out of what is stored, by the same mask"
_IN_PRODUCT, _BY_VALUE = "a product adds all of them", "use only lanes that the mask keeps"


def _place(pattern: Pattern, marks: Array) -> str:
    """The elements with a mark: those of the first partition that has any, and which partitions those are."""
    partitions = np.flatnonzero(marks.any(1))
    found, start = np.flatnonzero(marks[partitions[0]]), pattern.access.start
    return (
        f"elements {found[0]}..{found[-1]} of {marks.shape[1]}, on partitions"
        f" {start + partitions[0]}..{start + partitions[-1]}"
    )


class Flow:
    """How marks pass through one instruction. Calling it, when the instruction reads its inputs, gives what to do when
    it writes."""

    def __init__(self, undefined: Undefined, micro_op: DataOp):
        self.undefined, self.micro_op, self.instance = undefined, micro_op, micro_op.instance
        self.sources, self.targets = micro_op.sources, micro_op.targets
        self.rule: Rule = RULES.get(micro_op.instance.instruction.name, _by_partition)
        looked_for = micro_op.instance.fields.get("stands_for") in undefined.kinds
        self.number = undefined.number(_Origin(micro_op.op)) if looked_for else 0

    def __call__(self, numbers: tuple[int, ...], inputs: Sequence[Array]) -> Write:
        undefined = self.undefined
        if self.number:
            pattern = self.targets[0][0]
            found: Sequence[Marks | Masked] = [np.full(pattern.shape, self.number, np.uint8)]
        else:
            marks = [undefined.marks(pattern, numbers[k]) for pattern, k in self.sources]
            # A predicated copy leaves old marks alone even where it moves none.
            any_marks = any(m is not None for m in marks) or self.rule is _predicated
            found = self.rule(self, marks, inputs) if any_marks else [None] * len(self.targets)

        def write() -> None:
            for (pattern, k), marked in zip(self.targets, found, strict=True):
                undefined.mark(pattern, numbers[k], marked)

        return write

    def strict(self, numbers: tuple[int, ...], clears: bool) -> Write:
        """For what may use all of its sources, and chooses itself what it writes: all of its targets, if it `clears`
        them."""
        undefined = self.undefined
        for pattern, k in self.sources:
            undefined.require(pattern, numbers[k])

        def write() -> None:
            for pattern, k in self.targets if clears else ():
                undefined.mark(pattern, numbers[k], None)

        return write

    def reduced(self, index: int, rows: Array, cure: str) -> Array:
        """The marks of reductions over each of `rows`, [n, elements], in the source's order or one for each of its
        columns."""
        result, mixed = rows.max(1), np.logical_xor(rows.any(1), rows.all(1))
        if mixed.any():
            pattern, shown = self.sources[index][0], np.where(mixed[:, None], rows, 0)
            by_column = cure is _IN_PRODUCT
            shown = shown.T if by_column else shown.reshape(pattern.shape[0], -1)
            np.putmask(result, mixed, self.undefined.mixed(pattern, shown, cure))
        return result

    # The array: products over the partitions.
    def stationary(self, numbers: tuple[int, ...], values: Array) -> Marks:
        """Of each column of the weights, or of each weight [M, K] where an identity turns integers: none spoils
        another."""
        found = [self.undefined.marks(pattern, numbers[k]) for pattern, k in self.sources]
        if self.instance.fields.get("is_transpose") and found[0] is not None and _are_integers(self, values):
            return found[0].reshape(len(found[0]), -1).T
        return self._columns(found, "stationary")

    def product(self, numbers: tuple[int, ...], stationary: Marks, accumulate: bool) -> Write:
        """The product with weights that have these marks."""
        undefined, ((pattern, k),) = self.undefined, self.targets
        found = [undefined.marks(p, numbers[at]) for p, at in self.sources]
        moving, shape = self._columns(found, "moving"), (pattern.access.partitions, pattern.access.free_elements)
        marks = np.zeros(shape, np.uint8)
        if stationary is not None and len(stationary) == shape[0]:
            marks = np.maximum(marks, stationary if stationary.ndim > 1 else stationary[:, None])
        if moving is not None and len(moving) == shape[1]:
            marks = np.maximum(marks, moving[None, :])

        def write() -> None:
            old = undefined.marks(pattern, numbers[k]) if accumulate else None
            total = marks if old is None else np.maximum(old.reshape(shape), marks)
            undefined.mark(pattern, numbers[k], total if total.any() else None)

        return write

    def _columns(self, found: Sequence[Marks], name: str) -> Marks:
        """Of each column of an input that is summed over the partitions; other inputs have none."""
        result = None
        for index, ((pattern, _), marks) in enumerate(zip(self.sources, found, strict=True)):
            access = pattern.access
            plain = pattern.name == name and not is_bit_transpose(self.instance) and depth(self.instance, access) == 1
            if marks is not None and plain and columns(self.instance, access) == access.free_elements:
                result = self.reduced(index, marks.reshape(len(marks), -1).T, _IN_PRODUCT)
            elif marks is not None:
                self.undefined.report(pattern, marks, _IN_PRODUCT)
        return result


Rule = Callable[[Flow, Sequence[Marks], Sequence[Array]], Sequence["Marks | Masked"]]
"""From the marks of the sources, one of them at least not None, and the sources themselves, to those of the targets."""


def _by_partition(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    """What may depend on all elements of its partition or, where targets have other partitions, of all of them."""
    result: list[Marks] = []
    for pattern, _ in flow.targets:
        of_target = np.zeros(pattern.shape, np.uint8)
        for index, found in enumerate(marks):
            if found is not None:
                rows = found.reshape(len(found), -1)
                rows = rows if len(found) == len(of_target) else rows.reshape(1, -1)
                own = flow.reduced(index, rows, _BY_VALUE)
                np.maximum(of_target, own.reshape(-1, *[1] * (of_target.ndim - 1)), out=of_target)
        result.append(of_target)
    return result


def _joined(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Array:
    """Of results that depend on the elements in their place: [partitions, elements]."""
    target = flow.targets[0][0].access
    result = np.zeros((target.partitions, target.free_elements), np.uint8)
    for found in marks:
        if found is not None:
            np.maximum(result, found.reshape(len(found), -1), out=result)
    for defined in _deciding(flow, marks, inputs):
        result[np.broadcast_to(defined, result.shape)] = 0
    return result


_DECIDES: Mapping[Alu, bool] = {Alu.LOGICAL_AND: False, Alu.BITWISE_AND: False, Alu.LOGICAL_OR: True}
"""Operators whose result one operand decides by itself, where it is not zero, or zero."""


def _deciding(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> list[Array]:
    """Where an operand without a mark decides the result."""
    alus = list(flow.instance.alus())
    if len(alus) != 1 or alus[0] not in _DECIDES or len(inputs) != 2:
        return []
    found: list[Array] = []
    flow.undefined.by_data = True
    for values, own in zip(inputs, marks, strict=True):
        decides = (values != 0) == _DECIDES[alus[0]]
        found.append((decides if own is None else decides & (own == 0)).reshape(len(values), -1))
    return found


def _elementwise(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    """Also instructions that reduce their results, element by element, into a further target."""
    joined = _joined(flow, marks, inputs)
    if not flow.micro_op.stateful:
        return [joined]
    index = next(k for k, found in enumerate(marks) if found is not None)
    reduced = flow.reduced(index, joined, _BY_MASK)
    return [joined, *(reduced for _ in flow.targets[1:])]


def _reduction(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    (found,) = marks
    assert found is not None
    data, axes = cast(Access, flow.instance.operands["data"]), cast(int, flow.instance.fields["axes"])
    count = int(np.prod([n for _, n in data.dims[len(data.dims) - axes :]]))
    return [flow.reduced(0, found.reshape(-1, count), _BY_MASK)]


def _moved(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    """What moves elements, whatever they are, moves marks."""
    return flow.micro_op.compute(*marks)


def _transposed(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    """A transpose that is a product with the identity adds up all of a column; only integers spoil nothing there."""
    by_product = flow.instance.engine.value == "tensor" and not flow.instance.target.features.bit_transposes
    return (_by_partition if by_product and not _are_integers(flow, inputs[0]) else _moved)(flow, marks, inputs)


def _are_integers(flow: Flow, values: Array) -> bool:
    """Whether a tile of floats seems to be one of converted integers, which are finite wherever they come from."""
    flow.undefined.by_data = True
    return bool((np.isfinite(values) & (values == np.rint(values))).all())


def _predicated(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    """From the side that is chosen; a choice that is undefined is so on either side."""
    flow.undefined.by_data |= bool(flow.undefined.shadows)
    predicate, chooser = inputs[-1], marks[-1]
    chosen = (predicate == 0) == bool(flow.instance.fields.get("reverse_pred"))
    values = np.zeros(predicate.shape, np.uint8)
    if len(marks) == 2 and (moved := marks[0]) is not None:
        values = moved.reshape(values.shape)
    if chooser is not None:
        values, chosen = np.where(chooser, chooser, values), chosen | (chooser != 0)
    return [Masked(values, chosen)]


def _selected(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    """From the side that is chosen, of which one has marks; also reduced, into a further target."""
    flow.undefined.by_data = True
    places = {pattern.name: place for place, (pattern, _) in enumerate(flow.sources)}
    values, chooser = marks[places["on_true"]], marks[places["predicate"]]
    predicate = inputs[places["predicate"]]
    chosen = (predicate == 0) == bool(flow.instance.fields.get("reverse_pred"))
    shape = (len(predicate), predicate[0].size)
    joined = np.zeros(shape, np.uint8)
    if values is not None:
        joined = np.where(chosen.reshape(shape), values.reshape(shape), joined)
    if chooser is not None:
        joined = np.maximum(joined, chooser.reshape(shape))
    if len(flow.targets) == 1:
        return [joined]
    index = places["predicate" if values is None else "on_true"]
    return [joined, flow.reduced(index, joined, _BY_MASK)]


def _affine_select(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    test = ARITHMETIC[cast(Alu, flow.instance.fields["cmp_op"])](affine_values(flow.instance), 0)
    return [np.where(test, _joined(flow, marks, ()), 0)]


def _transferred(flow: Flow, marks: Sequence[Marks], inputs: Sequence[Array]) -> Sequence[Marks | Masked]:
    """Elements in order, added up where there are several sources; in HBM nothing may be undefined."""
    target = flow.targets[0][0].access
    if target.space is Space.HBM:
        for (pattern, _), found in zip(flow.sources, marks, strict=True):
            if found is not None:
                flow.undefined.report(pattern, found, _IN_STORE)
        return [None]
    result = np.zeros(target.elements, np.uint8)
    for found in marks:
        if found is not None:
            np.maximum(result, found.reshape(-1), out=result)
    return [result]


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        (
            "tensor_tensor",
            "tensor_scalar",
            "scalar_tensor_tensor",
            "tensor_copy",
            "tensor_copy_dynamic_src",
            "tensor_copy_dynamic_dst",
            "reciprocal",
            "activation",
            "activation_reduce",
            "activate2",
            "exponential",
            "tensor_scalar_reduce",
        ),
        _elementwise,
    ),
    "tensor_reduce": _reduction,
    "tensor_copy_predicated": _predicated,
    "select_reduce": _selected,
    "affine_select": _affine_select,
    "nc_stream_shuffle": _moved,
    "nc_transpose": _transposed,
    "dma_transpose": _moved,
    **dict.fromkeys(("dma_copy", "dma_compute"), _transferred),
}
"""By instruction; all others may use every element of their inputs."""
