"""Element types in memory and in the engines' arithmetic (docs/hardware.md#arithmetic).

An engine widens what it reads to fp32 and narrows what it writes: to floats with round-to-nearest-even (overflow gives
an infinity), to integers with round-to-nearest-even and saturation (NaN gives 0), to bool as "is not zero". A tfloat32
element is an fp32 word whose low 13 mantissa bits are zero once written. A packed element holds four small floats, the
first in its lowest bits; only MX instructions take it apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Attribute

from nki_mlir.dialects.dtypes import DType, dtype

Array = NDArray[Any]
Convert = Callable[[Array], Array]

STORAGE: dict[str, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "tfloat32": np.dtype(np.float32),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float16": np.dtype(np.float16),
    "float8_e4m3": np.dtype(ml_dtypes.float8_e4m3),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "int32": np.dtype(np.int32),
    "int16": np.dtype(np.int16),
    "int8": np.dtype(np.int8),
    "uint32": np.dtype(np.uint32),
    "uint16": np.dtype(np.uint16),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.uint8),
    "float8_e5m2_x4": np.dtype(np.uint32),
    "float8_e4m3fn_x4": np.dtype(np.uint32),
    "float4_e2m1fn_x4": np.dtype(np.uint16),
    "float8_e8m0fnu": np.dtype(ml_dtypes.float8_e8m0fnu),
}
"""The NumPy type that holds an element, by name in the table of `dialects.dtypes`."""

LANE: dict[str, np.dtype[Any]] = {
    "float8_e5m2_x4": np.dtype(ml_dtypes.float8_e5m2),
    "float8_e4m3fn_x4": np.dtype(ml_dtypes.float8_e4m3fn),
    "float4_e2m1fn_x4": np.dtype(ml_dtypes.float4_e2m1fn),
}
"""The numbers in a packed element."""

_BITS: dict[int, np.dtype[Any]] = {n: np.dtype(f"u{n}") for n in (1, 2, 4)}


def storage(type_: Attribute) -> np.dtype[Any]:
    return STORAGE[dtype(type_).name]


def bits(type_: Attribute) -> np.dtype[Any]:
    """The unsigned integer of the element's size: moves bit patterns, whatever they stand for."""
    return _BITS[dtype(type_).bytes]


def host_types(type_: Attribute) -> tuple[np.dtype[Any], ...]:
    """The NumPy types that an array given for a tensor of this element type may have."""
    found = dtype(type_)
    return (np.dtype(np.bool_), STORAGE["bool"]) if found.kind == "bool" else (STORAGE[found.name],)


def loader(type_: Attribute) -> Convert:
    """The function that widens stored elements to fp32. It may return its argument."""
    found = dtype(type_)
    if STORAGE[found.name] == np.float32:
        return _same
    if found.bytes == 1 and found.kind in ("float", "scale"):
        table = _widened(STORAGE[found.name], 8)
        return lambda array: np.take(table, array.view(np.uint8))
    return lambda array: array.astype(np.float32)


def _widened(type_: np.dtype[Any], width: int) -> Array:
    """The fp32 values of all bit patterns of `width` bits."""
    return np.arange(2**width, dtype=np.uint8).view(type_).astype(np.float32)


def unpacker(type_: Attribute) -> Convert:
    """The function that takes packed elements apart: fp32 [..., 4]."""
    found = dtype(type_)
    width = 8 * found.bytes // found.lanes
    table, shifts = _widened(LANE[found.name], width), width * np.arange(found.lanes, dtype=STORAGE[found.name])
    return lambda array: np.take(table, (array[..., None] >> shifts) & (2**width - 1))


def packer(type_: Attribute) -> Convert:
    """The function that narrows fp32 [..., 4] to packed elements of 8-bit floats."""
    lane, to = LANE[dtype(type_).name], STORAGE[dtype(type_).name]
    return lambda array: np.ascontiguousarray(array.astype(lane)).view(to)[..., 0]


def storer(type_: Attribute) -> Convert:
    """The function that narrows fp32 or bool values to stored elements. It may return its argument."""
    found = dtype(type_)
    if found.name == "tfloat32":
        return lambda array: round_tf32(array.astype(np.float32, copy=False))
    to = STORAGE[found.name]
    if found.kind == "float":
        return lambda array: array.astype(to, copy=False)
    if found.kind == "bool":
        return lambda array: (array != 0).astype(to)
    return lambda array: array.astype(to) if array.dtype == np.bool_ else _saturated(array, to)


def integer_storer(type_: Attribute) -> Convert:
    """As `storer`, for int64 values: exact where the destination is an integer, saturating outside its range."""
    found, store = dtype(type_), storer(type_)
    if found.kind not in ("int", "uint"):
        return lambda array: store(array.astype(np.float32))
    to, range_ = STORAGE[found.name], np.iinfo(STORAGE[found.name])
    return lambda array: np.clip(array, range_.min, range_.max).astype(to)


def converter(source: Attribute, target: Attribute) -> Convert | None:
    """What a copy does to its elements: None where it moves bits, else through fp32, into a new array."""
    if source == target:
        return None
    load, store = loader(source), storer(target)
    if storage(source) == storage(target):
        return lambda array: np.array(store(load(array)))
    return lambda array: store(load(array))


def constant(value: float, type_: Attribute) -> Array:
    """A number as an instruction's field gives it, as one stored element (0-dimensional). What is no number to the
    engines has 0 alone: all bits zero."""
    found: DType = dtype(type_)
    if found.kind in ("packed", "scale"):
        return np.zeros((), bits(type_)).view(STORAGE[found.name])
    if found.kind in ("int", "uint") and isinstance(value, int):
        return integer_storer(type_)(np.asarray(value, np.int64))
    return np.asarray(storer(type_)(np.asarray(value, np.float32)))


def round_tf32(array: Array) -> Array:
    """fp32 values rounded to 10 mantissa bits, to nearest even; infinities and NaN as they are."""
    word = array.view(np.uint32)
    rounded = (word + (((word >> 13) & 1) + np.uint32(0xFFF))) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(array), rounded.view(np.float32), array)


def _same(array: Array) -> Array:
    return array


def _saturated(array: Array, to: np.dtype[Any]) -> Array:
    """fp32 to integer. The limits of 32-bit types are no fp32 numbers, hence the detour through fp64 there."""
    range_ = np.iinfo(to)
    wide = array.astype(np.float64) if to.itemsize == 4 else array
    return np.nan_to_num(np.clip(np.rint(wide), range_.min, range_.max)).astype(to)
