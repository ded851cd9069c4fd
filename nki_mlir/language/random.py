"""Triton's random numbers: Philox 4x32, whose numbers depend on a seed and an offset alone. The bits are Triton's; they
are computed as int32, whose sums and products wrap around."""

from __future__ import annotations

import math as _math
from typing import Any

from nki_mlir.analysis.number_ranges import fits_32_bits
from nki_mlir.errors import CompileError
from nki_mlir.frontend import functions, operators
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import functions_of
from nki_mlir.frontend.dtypes import float32, int32, uint32
from nki_mlir.frontend.int64 import is_int64, unmarked
from nki_mlir.frontend.values import Value, describe
from nki_mlir.language.elementwise import TRITON

builtin = TRITON.function

ROUNDS = 10
MOST_ROUNDS = 64
"""Each is written out; more mix no better than 10."""
_FACTORS = 0xD2511F53, 0xCD9E8D57
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_HALF = 0xFFFF
_TO_UNIT = 4.6566127342e-10
"""Less than 2^-31, so that no number becomes 1."""


def _signed(bits: int) -> int:
    """32 bits as an int32."""
    bits &= 0xFFFFFFFF
    return bits - (bits >> 31 << 32)


def _of(b: Builder, symbol: str, x: Any, y: Any) -> Any:
    """An operator on int32, where a number stands for its 32 bits."""
    x, y = (_signed(value) if isinstance(value, int) else value for value in (x, y))
    result = operators.binary(b, symbol, x, y)
    return _signed(result) if isinstance(result, int) else result


def _word(b: Builder, x: Any, what: str) -> Any:
    """The 32 bits of an integer."""
    if isinstance(x, int) and not isinstance(x, bool):
        return x
    if not isinstance(x, Value) or x.is_pointer or x.number.kind not in ("int", "uint"):
        raise CompileError(f"{what} is made of integers, got {describe(x)}")
    if is_int64(x):
        if not fits_32_bits(x.ssa):
            raise CompileError(f"{what} of loaded int64 numbers is not supported; convert them to int32")
        x = unmarked(x)
    return functions.bitcast(b, x, int32) if x.number is uint32 else b.cast(x, int32)


def _halves(b: Builder, x: Any) -> tuple[Any, Any]:
    return _of(b, "&", x, _HALF), _upper(b, x)


def _upper(b: Builder, x: Any) -> Any:
    return _of(b, "&", _of(b, ">>", x, 16), _HALF)


def _high_word(b: Builder, x: Any, y: Any) -> Any:
    """The upper 32 bits of a product of numbers without a sign, from products of their halves."""
    (low, high), (low2, high2) = _halves(b, x), _halves(b, y)
    middle = _of(b, "+", _of(b, "*", high, low2), _upper(b, _of(b, "*", low, low2)))
    other = _of(b, "+", _of(b, "&", middle, _HALF), _of(b, "*", low, high2))
    uppers = _of(b, "+", _upper(b, middle), _upper(b, other))
    return _of(b, "+", _of(b, "*", high, high2), uppers)


def _rounds(b: Builder, counters: list[Any], keys: list[Any], rounds: Any) -> list[Any]:
    if not isinstance(rounds, int) or isinstance(rounds, bool) or not 1 <= rounds <= MOST_ROUNDS:
        raise CompileError(
            f"n_rounds is an integer from 1 to {MOST_ROUNDS} known at compile time, got {describe(rounds)}"
        )
    for _ in range(rounds):
        first, second, third, fourth = counters
        highs = _high_word(b, third, _FACTORS[1]), _high_word(b, first, _FACTORS[0])
        mixed = [
            _of(b, "^", _of(b, "^", high, other), key)
            for high, other, key in zip(highs, (second, fourth), keys, strict=True)
        ]
        counters = [mixed[0], _of(b, "*", third, _FACTORS[1]), mixed[1], _of(b, "*", first, _FACTORS[0])]
        keys = [_of(b, "+", key, step) for key, step in zip(keys, _KEY_STEPS, strict=True)]
    return counters


def _keys(b: Builder, seed: Any) -> list[Any]:
    """The two words of a seed; one that the program computes has 32 bits and a sign."""
    low = _word(b, seed, "a seed")
    return [low, seed >> 32 if isinstance(seed, int) else _of(b, ">>", low, 31)]


def _four(b: Builder, seed: Any, offset: Any, rounds: Any) -> list[Value]:
    """Four blocks of random bits as int32."""
    place = _word(b, offset, "an offset of random numbers")
    place = b.typed(_signed(place), int32) if isinstance(place, int) else place
    found = _rounds(b, [place, 0, 0, 0], _keys(b, seed), rounds)
    return [b.broadcast(b.typed(word, int32), place.shape) for word in found]


def _unit(b: Builder, x: Value) -> Value:
    """Bits as a float from 0 to below 1."""
    size = operators.where(b, operators.binary(b, "<", x, 0), operators.unary(b, "~", x), x)
    return operators.binary(b, "*", b.cast(size, float32), _TO_UNIT)


def _normal(b: Builder, u1: Any, u2: Any) -> tuple[Value, Value]:
    """Two normally distributed numbers of two uniformly distributed ones (Box and Muller)."""
    angle = operators.binary(b, "*", u2, 2.0 * _math.pi)
    logarithm = functions.elementary(b, "log", operators.binary(b, "maxnum", u1, 1.0e-7))
    radius = functions.elementary(b, "sqrt", operators.binary(b, "*", logarithm, -2.0))
    first, second = (operators.binary(b, "*", radius, functions.elementary(b, f, angle)) for f in ("cos", "sin"))
    return first, second


@builtin()
def umulhi(b: Builder, x: Any, y: Any) -> Value:
    """The upper 32 bits of the products of 32-bit integers, which are taken to have no sign."""
    words = [_word(b, value, "tl.umulhi") for value in (x, y)]
    values = [b.typed(_signed(word), int32) if isinstance(word, int) else word for word in words]
    result = _high_word(b, *b.match(*values))
    unsigned = any(isinstance(value, Value) and value.number is uint32 for value in (x, y))
    return functions.bitcast(b, result, uint32) if unsigned else result


@builtin()
def randint4x(b: Builder, seed: Any, offset: Any, n_rounds: Any = ROUNDS) -> tuple[Value, ...]:
    """Four blocks of random integers."""
    return tuple(functions.bitcast(b, word, uint32) for word in _four(b, seed, offset, n_rounds))


@builtin()
def randint(b: Builder, seed: Any, offset: Any, n_rounds: Any = ROUNDS) -> Value:
    """A block of random integers."""
    return functions.bitcast(b, _four(b, seed, offset, n_rounds)[0], uint32)


@builtin()
def rand4x(b: Builder, seed: Any, offsets: Any, n_rounds: Any = ROUNDS) -> tuple[Value, ...]:
    """Four blocks of random numbers from 0 to below 1."""
    return tuple(_unit(b, word) for word in _four(b, seed, offsets, n_rounds))


@builtin()
def rand(b: Builder, seed: Any, offset: Any, n_rounds: Any = ROUNDS) -> Value:
    """A block of random numbers from 0 to below 1."""
    return _unit(b, _four(b, seed, offset, n_rounds)[0])


@builtin()
def randn4x(b: Builder, seed: Any, offset: Any, n_rounds: Any = ROUNDS) -> tuple[Value, ...]:
    """Four blocks of normally distributed random numbers."""
    u1, u2, u3, u4 = (_unit(b, word) for word in _four(b, seed, offset, n_rounds))
    return (*_normal(b, u1, u2), *_normal(b, u3, u4))


@builtin()
def randn(b: Builder, seed: Any, offset: Any, n_rounds: Any = ROUNDS) -> Value:
    """A block of normally distributed random numbers."""
    u1, u2, *_ = (_unit(b, word) for word in _four(b, seed, offset, n_rounds))
    return _normal(b, u1, u2)[0]


def _bits(b: Builder, x: Any) -> Value:
    value = b.to_value(_word(b, x, "tl.uint_to_uniform_float"))
    return b.cast(value, int32)


@builtin()
def uint_to_uniform_float(b: Builder, x: Any) -> Value:
    """Random 32-bit integers as numbers from 0 to below 1."""
    return _unit(b, _bits(b, x))


@builtin()
def pair_uniform_to_normal(b: Builder, u1: Any, u2: Any) -> tuple[Value, Value]:
    """Two blocks of normally distributed numbers of two of uniformly distributed ones."""
    return _normal(b, functions.as_float(b, u1), functions.as_float(b, u2))


@builtin()
def philox(b: Builder, seed: Any, c0: Any, c1: Any, c2: Any, c3: Any, n_rounds: Any = ROUNDS) -> tuple[Value, ...]:
    """Four blocks of random integers of a seed and four counters."""
    return _mixed(b, [c0, c1, c2, c3], _keys(b, seed), n_rounds)


@builtin()
def philox_impl(
    b: Builder, c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any, n_rounds: Any = ROUNDS
) -> tuple[Value, ...]:
    """Four blocks of random integers of four counters and two keys."""
    return _mixed(b, [c0, c1, c2, c3], [_word(b, key, "a key") for key in (k0, k1)], n_rounds)


def _mixed(b: Builder, counters: list[Any], keys: list[Any], rounds: Any) -> tuple[Value, ...]:
    words = [_word(b, counter, "a counter of random numbers") for counter in counters]
    mixed = [b.typed(word, int32) for word in _rounds(b, words, keys, rounds)]
    return tuple(functions.bitcast(b, word, uint32) for word in b.match(*mixed))


__all__ = functions_of(globals())  # pyright: ignore[reportUnsupportedDunderAll]
