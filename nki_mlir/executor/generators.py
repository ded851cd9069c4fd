"""Random generators of the engines, one for each of 128 partitions, all drawn from at once.

Neither a generator's start-up state nor how a seed becomes a state is published. Here every seed, 0 at start-up, is
spread over the partitions by `mix`, so that a program draws the same numbers in every run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from nki_mlir.executor.numerics import Array

PARTITIONS = 128
_WEYL = np.uint32(362437)


def mix(words: Array) -> Array:
    """A permutation of 32-bit words in which every bit depends on every other (the `lowbias32` multipliers)."""
    words = (words ^ (words >> 16)) * np.uint32(0x7FEB352D)
    words = (words ^ (words >> 15)) * np.uint32(0x846CA68B)
    return words ^ (words >> 16)


def spread(seed: int, *shape: int) -> Array:
    """Different words made of a seed."""
    places = np.arange(int(np.prod(shape)), dtype=np.uint32).reshape(shape)
    return mix(mix(places + np.uint32(0x9E3779B9)) ^ np.uint32(seed))


class Generator(ABC):
    @abstractmethod
    def seed(self, word: int) -> None:
        """Sets the state of all partitions."""

    @abstractmethod
    def draw(self, lanes: slice, count: int) -> Array:
        """The next `count` words of some partitions: uint32 [partitions, count]."""


class Counting(Generator):
    """Stands for the Vector engine's LFSR before NeuronCore-v4, whose polynomial is not published: its numbers cannot
    be matched. The word `k` of a partition is mix(mix(k) ^ key), the key being the partition's own, of period 2^32."""

    def __init__(self) -> None:
        self.seed(0)

    def seed(self, word: int) -> None:
        self.keys, self.drawn = spread(word, PARTITIONS), np.zeros(PARTITIONS, np.uint32)

    def draw(self, lanes: slice, count: int) -> Array:
        places = self.drawn[lanes, None] + np.arange(count, dtype=np.uint32)
        self.drawn[lanes] += np.uint32(count % 2**32)
        return mix(mix(places) ^ self.keys[lanes, None])


class Xorwow(Generator):
    """Marsaglia's xorwow ("Xorshift RNGs", 2003): words x, y, z, w, v and the counter d, in this order.

    A partition has `streams` of them. Element `k` of an instruction is drawn from stream `k mod streams`, and all of
    them advance together (the order is not published). Each word needs the one before it, so that draws of a stream
    are made one after the other, for all partitions at once.
    """

    def __init__(self, streams: int):
        self.streams = streams
        self.seed(0)

    def seed(self, word: int) -> None:
        self.state = spread(word, PARTITIONS, self.streams, 6)

    def draw(self, lanes: slice, count: int) -> Array:
        x, y, z, w, v, d = np.moveaxis(self.state[lanes], -1, 0)
        words = np.empty((-(-count // self.streams), *v.shape), np.uint32)
        for turn in range(len(words)):
            t = x ^ (x >> 2)
            x, y, z, w = y, z, w, v
            v = (v ^ (v << 4)) ^ (t ^ (t << 1))
            d = d + _WEYL
            words[turn] = d + v
        self.state[lanes] = np.stack([x, y, z, w, v, d], -1)
        return words.transpose(1, 0, 2).reshape(v.shape[0], -1)[:, :count]
