"""Random numbers: Triton's bits, against Philox written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import integers, refused, run

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.language.extra import libdevice

N = 64
WORD = 0xFFFFFFFF


def philox(seed: int, offset: np.ndarray, rounds: int = 10) -> np.ndarray:
    """Four blocks of words."""
    first = offset.astype(np.uint64) & np.uint64(WORD)
    counters, keys = [first, first * 0, first * 0, first * 0], [seed & WORD, seed >> 32 & WORD]
    for _ in range(rounds):
        a, b, c, d = counters
        left, right = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        counters = [
            right >> np.uint64(32) ^ b ^ np.uint64(keys[0]),
            right & np.uint64(WORD),
            left >> np.uint64(32) ^ d ^ np.uint64(keys[1]),
            left & np.uint64(WORD),
        ]
        keys = [keys[0] + 0x9E3779B9 & WORD, keys[1] + 0xBB67AE85 & WORD]
    return np.stack(counters).astype(np.uint32)


def unit(words: np.ndarray) -> np.ndarray:
    signed = words.view(np.int32)
    return np.where(signed < 0, ~signed, signed).astype(np.float32) * np.float32(4.6566127342e-10)


def test_philox_as_published() -> None:
    """The known answers of the paper's authors, for counters and keys of zeros."""
    known = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    np.testing.assert_array_equal(philox(0, np.zeros(1, np.int64))[:, 0], np.array(known, np.uint32))


@nki_mlir.jit
def bits(y, seed, first, ROUNDS: tl.constexpr, N: tl.constexpr):
    c = tl.arange(0, N)
    for k, block in enumerate(tl.randint4x(seed, first + c, ROUNDS)):
        tl.store(y + k * N + c, block)


@pytest.mark.parametrize(("seed", "rounds"), [(0, 10), (5, 3), (0x123456789ABCDEF, 10), (-3, 10)])
def test_bits(seed: int, rounds: int) -> None:
    *_, y = run(bits, np.zeros((4, N), np.uint32), seed, 70_000, ROUNDS=rounds, N=N, levels=rounds == 3)
    np.testing.assert_array_equal(y, philox(seed, np.arange(N) + 70_000, rounds))


@nki_mlir.jit
def floats(seeds, y, z, N: tl.constexpr):
    c, p = tl.arange(0, N), tl.program_id(0)
    seed = tl.load(seeds + p)
    tl.store(y + p * N + c, tl.rand(seed, p * N + c))
    tl.store(z + p * N + c, tl.randn(seed, p * N + c))


def test_floats_of_loaded_seeds() -> None:
    seeds, before = np.array([11, -7, 2**31 - 1], np.int32), np.zeros((3, N), np.float32)
    _, y, z = run(floats, seeds, before, before.copy(), grid=(3,), N=N, levels=False)
    for p, seed in enumerate(seeds.tolist()):
        words = philox(seed, p * N + np.arange(N))
        u1, u2 = unit(words[0]), unit(words[1])
        np.testing.assert_array_equal(y[p], u1)
        normal = np.sqrt(-2 * np.log(np.maximum(u1, 1e-7))) * np.cos(2 * np.pi * u2)
        np.testing.assert_allclose(z[p], normal, rtol=1e-3, atol=1e-4)
    assert (y >= 0).all() and (y < 1).all()


@nki_mlir.jit
def parts(w, y, z, N: tl.constexpr):
    c = tl.arange(0, N)
    for k, block in enumerate(tl.rand4x(3, c)):
        tl.store(z + k * N + c, block)
    n1, n2 = tl.pair_uniform_to_normal(tl.load(z + c), tl.load(z + N + c))
    _, m2, _, _ = tl.randn4x(3, c)
    tl.store(z + 4 * N + c, n2 - m2 + tl.uint_to_uniform_float(tl.load(w + c)) + (n1 - n1))
    tl.store(y + c, tl.philox(3, c, 0, 0, 0)[2])
    tl.store(y + N + c, tl.philox_impl(c, 0, 0, 0, 3, 0)[2])
    tl.store(y + 2 * N + c, tl.umulhi(tl.load(w + c), 0x12345678))
    tl.store(y + 3 * N + c, libdevice.umulhi(tl.load(w + c), tl.load(w + c)))
    tl.store(y + 4 * N + c, tl.random.randint(3, 5) + tl.load(w + c) * 0)


def test_the_other_functions() -> None:
    w = integers(N, np.uint32)
    *_, y, z = run(parts, w, np.zeros((5, N), np.uint32), np.zeros((5, N), np.float32), N=N, levels=False)
    words, wide = philox(3, np.arange(N)), w.astype(np.uint64)
    np.testing.assert_array_equal(z[:4], unit(words))
    np.testing.assert_allclose(z[4], unit(w), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(y[:2], np.stack([words[2], words[2]]))
    np.testing.assert_array_equal(y[2], (wide * np.uint64(0x12345678) >> np.uint64(32)).astype(np.uint32))
    np.testing.assert_array_equal(y[3], (wide * wide >> np.uint64(32)).astype(np.uint32))
    np.testing.assert_array_equal(y[4], np.full(N, philox(3, np.array([5]))[0, 0]))


@nki_mlir.jit
def mistakes(seeds, y, CASE: tl.constexpr, N: tl.constexpr):
    c = tl.arange(0, N)
    seed, offset, rounds = 1, c, 10
    if CASE == "wide seeds":
        seed = tl.load(seeds)
    elif CASE == "float offsets":
        offset = c.to(tl.float32)
    elif CASE == "no rounds":
        rounds = 0
    else:
        rounds = 9223372036854775808
    tl.store(y + c, tl.rand(seed, offset, rounds))


MISTAKES: dict[str, Any] = {
    "wide seeds": "a seed of loaded int64 numbers is not supported; convert them to int32",
    "float offsets": "an offset of random numbers is made of integers, got float32[64]",
    "no rounds": "n_rounds is an integer from 1 to 64 known at compile time, got int 0",
    "endless rounds": f"n_rounds is an integer from 1 to 64 known at compile time, got int {2**63}",
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case: str) -> None:
    error = refused(mistakes, np.zeros(4, np.int64), np.zeros(N, np.float32), CASE=case, N=N)
    assert MISTAKES[case] in error.message, error.message
