"""Where the elements of a tensor lie on chip: plain data, with the algebra that passes reason with.

Each dimension of the tensor is cut into digits, as a number is: digit `dD/S:N` of index `i` of dimension `D` is
`(i // S) % N`. Each digit lies on the partitions or in the free dimension, in a stated order, the slowest first; read
as mixed-radix numbers the two lists give the partition and the offset of an element. `[d0:128] x [d0/128:8, d1]` puts
row 300 = 2 * 128 + 44 on partition 44, behind two other rows. `*:N` repeats everything N times; `_:N` leaves all but
the first of N places unused. What the digits of a dimension reach beyond its size is padding: it may hold anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

REPLICA, UNUSED = -1, -2
"""What stands for the dimension in a factor that belongs to none."""

COPY = -3
"""What stands for the dimension of a replica in the free dimension, where it is a spot."""


class Factor(NamedTuple):
    """`size` places: of the values of a digit of dimension `dim`, of replicas, or of which only the first is used."""

    dim: int
    size: int
    step: int = 1

    @property
    def is_digit(self) -> bool:
        return self.dim >= 0

    def cut(self, fast: int) -> tuple[Factor, Factor]:
        """The same places as two factors, slow and fast, of which the fast one has `fast` values."""
        step = self.step * fast if self.is_digit else 1
        return Factor(self.dim, -(-self.size // fast), step), Factor(self.dim, fast, self.step)

    def __str__(self) -> str:
        if not self.is_digit:
            return f"{'*' if self.dim == REPLICA else '_'}:{self.size}"
        return f"d{self.dim}{f'/{self.step}' if self.step > 1 else ''}:{self.size}"


Factors = tuple[Factor, ...]


def replica(size: int) -> Factor:
    return Factor(REPLICA, size)


def unused(size: int) -> Factor:
    return Factor(UNUSED, size)


class LayoutError(ValueError):
    """Why factors are no layout, or why a layout can't be had without moving data."""


class Spot(NamedTuple):
    """Where a digit lies: neighbouring values of it are `stride` partitions, or elements, apart."""

    dim: int
    step: int
    size: int
    on_partitions: bool
    stride: int


@dataclass(frozen=True)
class Layout:
    """`shape` of the tensor, and the factors on the partitions and in the free dimension, the slowest first. Made by
    `of`, so that layouts of the same places are equal."""

    shape: tuple[int, ...]
    partition: Factors
    free: Factors

    @classmethod
    def of(cls, shape: Sequence[int], partition: Iterable[Factor], free: Iterable[Factor]) -> Layout:
        """With as few factors as can be: neighbours fused, and what only pads at the slow end left out. Raises
        LayoutError."""
        shape = tuple(shape)
        given = Layout(shape, tuple(f for f in partition if f.size != 1), tuple(f for f in free if f.size != 1))
        given._check()
        return Layout(shape, _fused(given.partition, shape), _fused(given.free, shape))

    @classmethod
    def flat(cls, shape: Sequence[int]) -> Layout:
        """Everything on one partition, the last dimension fastest."""
        return cls.of(shape, (), (Factor(d, size) for d, size in enumerate(shape)))

    @classmethod
    def lanes(cls, shape: Sequence[int], dim: int, most: int, blocked: bool) -> Layout:
        """Dimension `dim` on up to `most` partitions, the others free. A longer one has consecutive indices on one
        partition (`blocked`) or on consecutive ones."""
        size = shape[dim]
        fold = -(-size // most)
        lane, rest = (
            (Factor(dim, -(-size // fold), fold), Factor(dim, fold))
            if blocked
            else (Factor(dim, min(size, most)), Factor(dim, fold, most))
        )
        others = (Factor(d, n) for d, n in enumerate(shape) if d != dim)
        return cls.of(shape, (lane,), (rest, *others))

    @classmethod
    def spread(cls, shape: Sequence[int], lanes: int) -> Layout:
        """In row-major order over up to `lanes` partitions, in equal shares: whole dimensions, then as much of the next
        one as divides it."""
        partition: list[Factor] = []
        free: list[Factor] = []
        for dim, size in enumerate(shape):
            slow = max(n for n in range(1, min(size, lanes) + 1) if size % n == 0) if not free else 1
            lanes //= slow
            partition.append(Factor(dim, slow, size // slow))
            if slow < size:
                free.append(Factor(dim, size // slow))
        return cls.of(shape, partition, free)

    def _check(self) -> None:
        if any(size < 1 for size in self.shape):
            raise LayoutError(f"a tensor on chip has no empty dimension, got {list(self.shape)}")
        for factor in (*self.partition, *self.free):
            if factor.size < 1 or not UNUSED <= factor.dim < len(self.shape):
                raise LayoutError(f"{factor} is no factor of a tensor of {len(self.shape)} dimensions")
        for dim, size in enumerate(self.shape):
            reach = 1
            for spot in self.digits(dim):
                if spot.step != reach:
                    raise LayoutError(f"the digits of d{dim} must follow one another: one of step {reach} is missing")
                reach *= spot.size
            if reach < size:
                raise LayoutError(f"the digits of d{dim} reach {reach} of its {size} indices")

    # Sizes and places.
    @property
    def partitions(self) -> int:
        """How many partitions the layout spans."""
        return math.prod(f.size for f in self.partition)

    @property
    def elements(self) -> int:
        """How many elements it spans on each of them, padding included."""
        return math.prod(f.size for f in self.free)

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """The digits, those on the partitions first, each list in its order. The number of a replica counts as a
        dimension, REPLICA on the partitions and COPY in the free one, whose digits these are."""
        found: list[Spot] = []
        for on_partitions, factors in ((True, self.partition), (False, self.free)):
            stride = math.prod(f.size for f in factors)
            replicas = math.prod(f.size for f in factors if f.dim == REPLICA)
            for dim, size, step in factors:
                stride //= size
                if dim == REPLICA:
                    replicas //= size
                    dim, step = REPLICA if on_partitions else COPY, replicas
                if dim != UNUSED:
                    found.append(Spot(dim, step, size, on_partitions, stride))
        return tuple(found)

    def digits(self, dim: int) -> list[Spot]:
        """The digits of a dimension, the fastest first."""
        return sorted((s for s in self.spots if s.dim == dim), key=lambda s: s.step)

    def place(self, index: Sequence[int]) -> tuple[int, int]:
        """Partition and offset, in elements, of an element: of its first replica."""
        partition = offset = 0
        for spot in (s for s in self.spots if s.dim >= 0):
            distance = index[spot.dim] // spot.step % spot.size * spot.stride
            partition, offset = (partition + distance, offset) if spot.on_partitions else (partition, offset + distance)
        return partition, offset

    def is_free(self, dim: int) -> bool:
        """Whether no part of a dimension lies on the partitions."""
        return all(f.dim != dim for f in self.partition)

    def is_along(self, dim: int) -> bool:
        """Whether a dimension is one digit in the free dimension, or of size 1."""
        return self.is_free(dim) and len(self.digits(dim)) <= 1

    @property
    def is_counted(self) -> bool:
        """Whether one count along the partitions gives their indices: a digit lies there alone, or none does."""
        return len(self.partition) <= 1 or not any(f.is_digit for f in self.partition)

    def provides(self, wanted: Layout) -> bool:
        """Whether what lies like this also lies like `wanted`: each place that it promises holds what it should."""
        same = self.shape == wanted.shape
        return same and _provides(self.partition, wanted.partition) and _provides(self.free, wanted.free)

    # Layouts of what an operation makes of a value without moving it.
    def permuted(self, order: Sequence[int]) -> Layout:
        """Of the tensor whose dimension `d` is this one's `order[d]`."""
        names = {dim: new for new, dim in enumerate(order)}
        return self._renamed([self.shape[dim] for dim in order], lambda f: f._replace(dim=names[f.dim]))

    def expanded(self, axis: int) -> Layout:
        """With a new dimension of size 1 at `axis`."""
        shape = (*self.shape[:axis], 1, *self.shape[axis:])
        return self._renamed(shape, lambda f: f._replace(dim=f.dim + (f.dim >= axis)))

    def reduced(self, axis: int) -> Layout:
        """Without a dimension that lies free; its other elements move up. Raises LayoutError."""
        if not self.is_free(axis):
            raise LayoutError(f"d{axis} lies on the partitions")
        kept = Layout(self.shape, self.partition, tuple(f for f in self.free if f.dim != axis))
        shape = (*self.shape[:axis], *self.shape[axis + 1 :])
        return kept._renamed(shape, lambda f: f._replace(dim=f.dim - (f.dim > axis)))

    def unspread(self, axes: Iterable[int]) -> Layout:
        """Where a tensor with size 1 in these dimensions must lie for its broadcast to lie like this: replicas on the
        partitions, nothing in the free dimension."""
        axes = frozenset(axes)
        shape = [1 if d in axes else n for d, n in enumerate(self.shape)]
        partition = (replica(f.size) if f.dim in axes else f for f in self.partition)
        return Layout.of(shape, partition, (f for f in self.free if f.dim not in axes))

    def merged(self, axis: int) -> Layout:
        """With dimensions `axis` and `axis + 1` as one. Raises LayoutError where the second is padded."""
        outer, inner = self.shape[axis : axis + 2]
        if math.prod(s.size for s in self.digits(axis + 1)) != inner:
            raise LayoutError(f"d{axis + 1} is padded")

        def rename(factor: Factor) -> Factor:
            if factor.dim == axis:
                return factor._replace(step=factor.step * inner)
            return factor._replace(dim=factor.dim - (factor.dim > axis))

        return self._renamed((*self.shape[:axis], outer * inner, *self.shape[axis + 2 :]), rename)

    def split(self, axis: int, inner: int) -> Layout:
        """With dimension `axis` as two, the second of size `inner`. Raises LayoutError where no digit ends there."""
        outer, rest = divmod(self.shape[axis], inner)
        if rest:
            raise LayoutError(f"{inner} does not divide the size of d{axis}, {self.shape[axis]}")
        shape = (*self.shape[:axis], outer, inner, *self.shape[axis + 1 :])
        whole = self.shape[axis]
        lists = [
            [new for f in factors for new in _divided(f, axis, whole, inner)] for factors in (self.partition, self.free)
        ]
        return Layout.of(shape, *lists)

    def reshaped(self, shape: Sequence[int]) -> Layout:
        """Under another shape of as many elements in row-major order: dimensions merged and split as far as need be.
        Raises LayoutError where that would move elements."""
        shape = tuple(shape)
        if math.prod(shape) != math.prod(self.shape):
            raise LayoutError(f"{list(self.shape)} and {list(shape)} differ in their number of elements")
        layout = self
        for axis in reversed([d for d, n in enumerate(self.shape) if n == 1]):
            if layout.digits(axis):
                raise LayoutError(f"d{axis} is padded")
            layout = layout.reduced(axis)
        for axis, size in enumerate(n for n in shape if n != 1):
            while layout.shape[axis] % size:
                layout = layout.merged(axis)
            if layout.shape[axis] != size:
                layout = layout.split(axis, layout.shape[axis] // size)
        for axis in [d for d, n in enumerate(shape) if n == 1]:
            layout = layout.expanded(axis)
        return layout

    def renamings(self, other: Layout) -> list[tuple[Factor, Factor]]:
        """The digits of this layout and of another one with the same places, cut so that they are the same in pairs.
        Raises LayoutError where the places differ."""
        partitions = _renamings(self.partition, other.partition)
        return [*partitions, *_renamings(self.free, other.free)]

    def _renamed(self, shape: Sequence[int], rename: Callable[[Factor], Factor]) -> Layout:
        lists = ([rename(f) if f.is_digit else f for f in factors] for factors in (self.partition, self.free))
        return Layout.of(shape, *lists)

    def __str__(self) -> str:
        return " x ".join(f"[{', '.join(map(self._text, factors))}]" for factors in (self.partition, self.free))

    def _text(self, factor: Factor) -> str:
        whole = factor.is_digit and factor.step == 1 and factor.size == self.shape[factor.dim]
        return f"d{factor.dim}" if whole else str(factor)


def _fused(factors: Factors, shape: Sequence[int]) -> Factors:
    fused: list[Factor] = []
    for factor in factors:
        slow = fused[-1] if fused else None
        if (
            slow is not None
            and slow.dim == factor.dim
            and slow.step == (factor.step * factor.size if slow.is_digit else 1)
        ):
            fused[-1] = factor._replace(size=slow.size * factor.size)
        else:
            fused.append(factor)
    while fused and fused[0].dim != REPLICA:
        dim, size, step = fused[0]
        needed = 1 if dim == UNUSED else min(size, -(-shape[dim] // step))
        if needed > 1:
            fused[0] = Factor(dim, needed, step)
            break
        fused.pop(0)
    return tuple(fused)


def _provides(have: Factors, wanted: Factors) -> bool:
    """Compares two lists from the fast end, cutting factors to equal sizes."""
    left, right = list(have), list(wanted)
    while right:
        if not left:
            return False
        a, b = left.pop(), right.pop()
        if a.size != b.size:
            small, large = sorted((a.size, b.size))
            if large % small and (left if a.size > b.size else right):
                return False
            if a.size > b.size:
                slow, a = a.cut(b.size)
                left.append(slow)
            else:
                slow, b = b.cut(a.size)
                right.append(slow)
        if a != b and not (a.dim == REPLICA and b.dim == UNUSED):
            return False
    return all(f.dim in (REPLICA, UNUSED) for f in left)


def _renamings(old: Factors, new: Factors) -> list[tuple[Factor, Factor]]:
    """Two lists of the same places from the slow end, cut from the fast end."""
    left, right, found = list(old), list(new), list[tuple[Factor, Factor]]()
    while left and right:
        a, b = left.pop(), right.pop()
        small, large = sorted((a.size, b.size))
        if large % small or a.is_digit != b.is_digit:
            raise LayoutError(
                f"{a} and {b} are different places: from the fast end on, one size must divide the other; convert to a"
                " layout for which that is so"
            )
        if a.size > small:
            slow, a = a.cut(small)
            left.append(slow)
        elif b.size > small:
            slow, b = b.cut(small)
            right.append(slow)
        if a.is_digit:
            found.append((a, b))
    if left or right:
        raise LayoutError("one layout has more places than the other")
    return found[::-1]


def _divided(factor: Factor, axis: int, whole: int, inner: int) -> list[Factor]:
    """A factor after dimension `axis`, of size `whole`, is cut into one and the next, of size `inner`."""
    dim, size, step = factor
    if dim != axis:
        return [factor._replace(dim=dim + (dim > axis))]
    if step >= inner:
        if step % inner:
            raise LayoutError(f"{factor} does not keep runs of {inner} together")
        return [Factor(axis, size, step // inner)]
    if step * size <= inner or whole == inner:
        return [Factor(axis + 1, size, step)]
    if inner % step or size % (inner // step):
        raise LayoutError(f"{factor} does not keep runs of {inner} together")
    slow, fast = factor.cut(inner // step)
    return [Factor(axis, slow.size, 1), Factor(axis + 1, fast.size, fast.step)]
