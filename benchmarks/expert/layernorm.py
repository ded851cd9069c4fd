"""Layernorm, 128 rows at a time, one on each partition; skewed, so that Vector has the statistics of a tile while
Scalar normalises the one before into PSUM. Reading one operand from there, Vector combines two at one element a
cycle."""

from __future__ import annotations

from dataclasses import dataclass

from engine_builder import At, Kernel, Tensor, View

Number = View | float

EPSILON, CHUNK = 1e-5, 512
"""CHUNK: columns that one bn_stats takes, or a PSUM bank holds."""


@dataclass
class Slots:
    """One buffer for each of some iterations: iteration i has the slot i mod count."""

    buffer: View
    count: int
    columns: int

    @staticmethod
    def of(k: Kernel, count: int, columns: int, kind: str = "float32") -> Slots:
        return Slots(k.sbuf(count * columns, kind), count, columns)

    def __call__(self, i: At, first: int = 0, columns: int | None = None) -> View:
        width = self.columns - first if columns is None else columns
        return self.buffer.cols((i % self.count) * self.columns + first, width)


def arguments(k: Kernel, rows: int, columns: int, kind: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x, y = k.tensor("x", (rows, columns), kind), k.tensor("out", (rows, columns), kind)
    return x, y, k.tensor("weight", (columns,), kind), k.tensor("bias", (columns,), kind)


def scalars(k: Kernel, dst: View, data: View, op0: str, operand0: Number, op1: str, operand1: Number) -> None:
    """dst = (data op0 operand0) op1 operand1, on Vector."""
    k.op("tensor_scalar", "vector", dst=dst, data=data, op0=op0, operand0=operand0, op1=op1, operand1=operand1)


def layernorm_fp32(target: str, rows: int, columns: int) -> Kernel:
    """Scalar normalises a whole tile into all of PSUM; Vector multiplies by the weight there and adds the bias on the
    way to SBUF. Weight and bias get to all partitions by a product with ones, which spares the DMA 4 MiB. Bound by
    DMA."""
    k, tiles, chunks = Kernel(target), rows // 128, columns // CHUNK
    x, y, weight, bias = arguments(k, rows, columns, "float32")
    gamma, beta = k.sbuf(columns), k.sbuf(columns)
    data = Slots.of(k, 4, columns)
    statistics, moments = Slots.of(k, 2, 6 * chunks), Slots.of(k, 2, 2)
    deviation, offset = Slots.of(k, 2, 1), Slots.of(k, 2, 1)
    normal, epsilon = k.psum(columns), k.sbuf(1)

    def load(i: At) -> None:
        k.dma(data(i), x.box(i * 128, 128, 0, columns))

    def measure(i: At) -> None:
        for c in range(chunks):
            k.op("bn_stats", dst=statistics(i, 6 * c, 6), data=data(i, CHUNK * c, CHUNK))

    def combine(i: At) -> None:
        k.op("bn_aggr", dst=moments(i), data=statistics(i))
        k.op("activation", op="rsqrt", dst=deviation(i), data=moments(i, 1, 1), bias=epsilon)

    def centre(i: At) -> None:
        """-mean / deviation, which with 1 / deviation makes the normalisation one activation."""
        scalars(k, offset(i), moments(i, 0, 1), "multiply", deviation(i), "multiply", -1.0)

    def body(i: At, more: bool = True, loads: bool = True) -> None:
        if loads:
            load(i + 2)
        k.op("activation", op="copy", dst=normal, data=data(i), scale=deviation(i), bias=offset(i))
        if more:
            measure(i + 1)
        k.op("tensor_tensor", "vector", op="multiply", dst=normal, data1=normal, data2=gamma)
        if more:
            combine(i + 1)
        k.op("tensor_tensor", "vector", op="add", dst=data(i), data1=normal, data2=beta)
        if more:
            centre(i + 1)
        k.dma(y.box(i * 128, 128, 0, columns), data(i), by="gpsimd")

    k.op("memset", "vector", dst=epsilon, value=EPSILON)
    load(0)
    ones = k.sbuf(128, partitions=1)
    k.op("memset", "gpsimd", dst=ones, value=1.0)
    for tile, tensor in ((gamma, weight), (beta, bias)):
        row = k.sbuf(columns, partitions=1)
        k.dma(row, tensor.at(0, (0, 1), (1, columns)), by="scalar")
        for c in range(chunks):
            k.matmul(normal.cols(c * CHUNK, CHUNK), ones, row.cols(c * CHUNK, CHUNK))
        k.op("activation", op="copy", dst=tile, data=normal)
    load(1)
    measure(0)
    combine(0)
    centre(0)
    with k.loop(tiles - 2) as i:
        body(i)
    body(tiles - 2, loads=False)
    body(tiles - 1, more=False, loads=False)
    return k


class _Bf16:
    """Loads and stores are half of fp32's, and Vector is the limit: Scalar takes part of the statistics, as sums of
    x - x[last] and of its square, and half of the weight stays in PSUM, so that both halves of a row multiply at one
    element a cycle. Vector has bn_stats of `VECTOR_CHUNKS` chunks."""

    VECTOR_CHUNKS = 2

    def __init__(self, target: str, rows: int, columns: int):
        self.k = k = Kernel(target)
        kind, self.columns, self.half, self.tiles = "bfloat16", columns, columns // 2, rows // 128
        self.x, self.y, self.weight, self.bias = arguments(k, rows, columns, kind)
        self.gamma, self.beta = k.sbuf(columns, kind), k.sbuf(columns, kind)
        self.data, self.junk = Slots.of(k, 5, columns, kind), k.sbuf(columns, kind)
        self.normal = Slots.of(k, 2, self.half)
        self.first = self.VECTOR_CHUNKS * CHUNK
        self.scalar_columns = columns - self.first
        self.statistics = Slots.of(k, 3, 3 * (2 * self.VECTOR_CHUNKS + 1))
        self.moments, self.deviation, self.offset = Slots.of(k, 2, 2), Slots.of(k, 2, 1), Slots.of(k, 2, 1)
        self.shift, self.sum, self.squares, self.mean = (Slots.of(k, 3, 1) for _ in range(4))
        self.epsilon = k.sbuf(1)
        self.gamma_in_psum, self.work = k.psum(self.half), k.psum(self.half)

    def load(self, i: At) -> None:
        self.k.dma(self.data(i), self.x.box(i * 128, 128, 0, self.columns))

    def by_vector(self, i: At) -> None:
        for c in range(self.VECTOR_CHUNKS):
            self.k.op("bn_stats", dst=self.statistics(i, 6 * c, 6), data=self.data(i, CHUNK * c, CHUNK))

    def negate_last(self, i: At) -> None:
        last = self.data(i, self.columns - 1, 1)
        self.k.op("tensor_scalar", "vector", op0="multiply", dst=self.shift(i), data=last, operand0=-1.0)

    def by_scalar(self, i: At) -> None:
        data, junk = self.data(i, self.first), self.junk.cols(0, self.scalar_columns)
        for function, total in (("copy", self.sum), ("square", self.squares)):
            self.k.op("activation_reduce", op=function, dst=junk, data=data, bias=self.shift(i), reduce_res=total(i))

    def combine(self, i: At) -> None:
        """Scalar's sums as a third kind of triple (count, mean, count * variance) beside those of bn_stats."""
        k, share, at = self.k, 1.0 / self.scalar_columns, 6 * self.VECTOR_CHUNKS
        mean, spread = self.statistics(i, at + 1, 1), self.statistics(i, at + 2, 1)
        scalars(k, mean, self.sum(i), "multiply", share, "subtract", self.shift(i))
        scalars(k, self.mean(i), self.sum(i), "multiply", self.sum(i), "multiply", share)
        k.op("tensor_scalar", "vector", op0="subtract", dst=spread, data=self.squares(i), operand0=self.mean(i))
        k.op("bn_aggr", dst=self.moments(i), data=self.statistics(i))
        k.op("activation", op="rsqrt", dst=self.deviation(i), data=self.moments(i, 1, 1), bias=self.epsilon)

    def centre(self, i: At) -> None:
        scalars(self.k, self.offset(i), self.moments(i, 0, 1), "multiply", self.deviation(i), "multiply", -1.0)

    def normalise(self, i: At, first: int, dst: View) -> None:
        data = self.data(i, first, self.half)
        self.k.op("activation", op="copy", dst=dst, data=data, scale=self.deviation(i), bias=self.offset(i))

    def combined(self, op: str, dst: View, data1: View, data2: View) -> None:
        self.k.op("tensor_tensor", "vector", op=op, dst=dst, data1=data1, data2=data2)

    def body(self, i: At, one: bool = True, two: bool = True, three: bool = True) -> None:
        """Tile i, with what is done ahead for those `one`, `two` and `three` behind it."""
        half, work = self.half, self.work
        if three:
            self.load(i + 3)
        self.combined("multiply", work, self.normal(i), self.gamma_in_psum)
        if one:
            self.combine(i + 1)
        self.combined("add", self.data(i, 0, half), work, self.beta.cols(0, half))
        self.normalise(i, half, work)
        if one:
            self.centre(i + 1)
        if two:
            self.by_vector(i + 2)
            self.negate_last(i + 2)
        if one:
            self.normalise(i + 1, 0, self.normal(i + 1))
        self.combined("multiply", work, work, self.gamma.cols(half, half))
        if two:
            self.by_scalar(i + 2)
        self.combined("add", self.data(i, half), work, self.beta.cols(half, half))
        self.k.dma(self.y.box(i * 128, 128, 0, self.columns), self.data(i), by="gpsimd")

    def prologue(self) -> None:
        k, count = self.k, 6 * self.VECTOR_CHUNKS
        k.op("memset", "vector", dst=self.epsilon, value=EPSILON)
        for i in range(3):
            k.op("memset", "vector", dst=self.statistics(i, count, 1), value=float(self.scalar_columns))
        self.load(0)
        self.load(1)
        for tile, tensor in ((self.gamma, self.weight), (self.beta, self.bias)):
            k.dma(tile, tensor.at(0, (0, 128), (1, self.columns)), by="scalar")
        self.load(2)
        self.negate_last(0)
        self.by_scalar(0)
        self.by_vector(0)
        self.combine(0)
        self.centre(0)
        k.op("tensor_copy", "vector", dst=self.gamma_in_psum, src=self.gamma.cols(0, self.half))
        self.normalise(0, 0, self.normal(0))
        self.negate_last(1)
        self.by_vector(1)
        self.by_scalar(1)

    def build(self) -> Kernel:
        self.prologue()
        with self.k.loop(self.tiles - 3) as i:
            self.body(i)
        self.body(self.tiles - 3, three=False)
        self.body(self.tiles - 2, two=False, three=False)
        self.body(self.tiles - 1, one=False, two=False, three=False)
        return self.k


def layernorm_bf16(target: str, rows: int, columns: int) -> Kernel:
    """At least four tiles of 128 rows."""
    return _Bf16(target, rows, columns).build()
