"""RMSNorm and a product as one program: both scales ride on copies that the product needs anyway."""

from __future__ import annotations

from engine_builder import Kernel, View
from expert.matmul import BF16, TILE
from expert.matmul_row_major import RowMajor

EPSILON = 1e-6


class _Normalised(RowMajor):
    """The weight multiplies the transposed slices, where k is on the partitions; 1 / deviation the results, where rows
    are. Scalar sums the squares of a slice when it is transposed."""

    def __init__(self, target: str, m: int, n: int, k_size: int):
        super().__init__(target, m, n, k_size, gelu=False)
        k, steps = self.k, self.steps
        weight = k.tensor("weight", (k_size,), BF16)
        rounded, self.weight = k.sbuf(steps, BF16), k.sbuf(steps)
        self.junk, self.partial = k.sbuf(TILE, BF16), k.sbuf(self.tallest * steps)
        self.total, self.deviation = k.sbuf(self.tallest), k.sbuf(m // TILE)
        self.epsilon = k.sbuf(1)
        k.op("memset", "vector", dst=self.epsilon, value=EPSILON)
        k.dma(rounded, weight.at(0, (1, TILE), (TILE, steps)), by="scalar")
        k.op("tensor_copy", "vector", dst=self.weight, src=rounded)

    def transpose(self, group: int, step: int) -> None:
        super().transpose(group, step)
        for tile in range(self.groups[group]):
            data, total = self.raw[group % 2].cols(tile * self.k_size + step * TILE, TILE), tile * self.steps + step
            self.k.op(
                "activation_reduce", op="square", dst=self.junk, data=data, reduce_res=self.partial.cols(total, 1)
            )
        if step == self.steps - 1:
            self.deviate(group)

    def deviate(self, group: int) -> None:
        """1 / sqrt(mean + epsilon) of all rows of a group."""
        height, steps = self.groups[group], self.steps
        total, dst = self.total.cols(0, height), self.deviation.cols(self.base[group], height)
        data = self.partial.at(0, (steps, height), (1, steps))
        self.k.op("tensor_reduce", op="add", axes=1, dst=total, data=data)
        self.k.op("activation", op="rsqrt", dst=dst, data=total, scale=1 / self.k_size, bias=self.epsilon)

    def slice_scale(self, step: int) -> View:
        return self.weight.cols(step, 1)

    def row_scale(self, row: int) -> View:
        return self.deviation.cols(row, 1)


def rmsnorm_matmul(target: str, m: int, n: int, k_size: int) -> Kernel:
    """out = (a / rms(a) * weight) b, bf16. Bound by Tensor."""
    return _Normalised(target, m, n, k_size).build()
