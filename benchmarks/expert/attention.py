"""What the attention programs share: one head of bf16, and its tensors on chip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine_builder import Kernel, Tensor, View

from nki_mlir.dialects.dtypes import by_name

BF16, TILE, BANK, HEAD = "bfloat16", 128, 512, 128
"""TILE: tokens of a tile, BANK: fp32 numbers of a PSUM bank, HEAD: the head's size, which fills the partitions."""
SCALE = HEAD**-0.5
TURNED = 8
"""Tiles that are transposed into one PSUM bank, from which one copy takes them."""


def as_bf16(view: View, partitions: int | None = None) -> View:
    """The same bytes, seen as bf16, on fewer partitions if asked."""
    access = replace(view.access, element_type=by_name(BF16).type)
    return replace(view, access=access if partitions is None else replace(access, partitions=partitions))


def load_tiles(k: Kernel, dst: View, tensor: Tensor, first: int, count: int) -> None:
    """Some tiles of a tensor [tokens, head], tokens on the partitions, in one transfer."""
    src = tensor.at(first * TILE * HEAD, (HEAD, TILE), (TILE * HEAD, count), (1, HEAD))
    k.dma(dst.at(first * TILE, (TILE, count), (1, HEAD)), src)


class Turn:
    """Transposes tiles by the Tensor engine, through banks of PSUM in rotation; engines copy in turn."""

    def __init__(self, k: Kernel, banks: View, count: int, engines: Sequence[str] = ("scalar", "vector")):
        """`banks` are `count` times 1024 numbers of bf16."""
        self.k, self.banks, self.count, self.engines, self.turns = k, banks, count, engines, 0

    def __call__(self, dst: View, raw: View, first: int, count: int) -> None:
        at = self.turns % self.count * TURNED * TILE
        engine = self.engines[self.turns % len(self.engines)]
        self.turns += 1
        for i in range(count):
            part = self.banks.at(at + i * TILE, (1, TILE))
            self.k.op("nc_transpose", "tensor", dst=part, data=raw.cols((first + i) * TILE, TILE))
        to, turned = dst.cols(first * TILE, count * TILE), self.banks.at(at, (1, count * TILE))
        if engine == "scalar":
            self.k.op("activation", op="copy", dst=to, data=turned)
        else:
            self.k.op("tensor_copy", "vector", dst=to, src=turned)


def head(k: Kernel, tokens: int, *names: str) -> list[Tensor]:
    return [k.tensor(name, (tokens, HEAD), BF16) for name in names]
