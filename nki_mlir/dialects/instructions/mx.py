"""Microscaling (MX) of NeuronCore-v4: packed small floats, 32 of which share a power of two.

A block is 8 partitions by the 4 lanes of an element, so that 32 partitions of data have 4 partitions of scales: the
first four of each quadrant of 32, or the four from 4, 8 or 12 on, so that the scales of four tiles fit together. An
operand of scales spans from the first of its partitions to the last one: those of 128 partitions of data are on
`sbuf[0:100]`, that is 0..3, 32..35, 64..67 and 96..99, or on `sbuf[4:104]`.

Scales are `float8_e8m0fnu` or `uint8`, with the same codes: c stands for 2^(c - 127), 255 for NaN.
"""

from __future__ import annotations

from nki_mlir.dialects.access import Access, Comb
from nki_mlir.dialects.dtypes import LANES, by_name, dtype
from nki_mlir.dialects.instructions.operands import VECTOR
from nki_mlir.dialects.legality import PACKED, SBUF, Instance, Instruction, Operand

BLOCK = 8
"""Partitions that share a scale."""
_QUADRANT = 32
_SCALES = _QUADRANT // BLOCK
_OFFSETS = (0, 4, 8, 12)

_CODES = frozenset(by_name(n).type for n in ("float8_e8m0fnu", "uint8"))
_FP8 = frozenset(by_name(n).type for n in ("float8_e5m2_x4", "float8_e4m3fn_x4"))
_SHORT = frozenset(by_name(n).type for n in ("float16", "bfloat16"))


def scales(name: str, role: str, optional: bool = False) -> Operand:
    comb, partial = Comb(_QUADRANT, _SCALES), role == "dst"
    return Operand(name, role, SBUF, _CODES, "own", optional, comb=comb, partial=partial)


def _blocks(name: str, access: Access) -> str | None:
    if access.partitions % _QUADRANT:
        return f"{name} has {access.partitions} partitions; MX blocks fill quadrants of {_QUADRANT}"
    return None


def _scaled(name: str, data: Access, scale_name: str, scale: Access) -> str | None:
    """Where the scales of a tile are (docs/hardware.md#microscaling)."""
    spanned = data.partitions - _QUADRANT + _SCALES
    if scale.partitions != spanned:
        return (
            f"{scale_name} spans {spanned} partitions, from the first to the last of those that the"
            f" {data.partitions} of {name} have, not {scale.partitions}"
        )
    if scale.start - data.start not in _OFFSETS:
        starts = ", ".join(str(data.start + offset) for offset in _OFFSETS)
        return f"{scale_name} starts at partition {starts}, as {name} starts at {data.start}, not at {scale.start}"
    if scale.free_elements != data.free_elements:
        return (
            f"{scale_name} has {scale.free_elements} elements per partition and {name} {data.free_elements}; there is"
            " one scale for each"
        )
    return None


def is_mx(i: Instance) -> bool:
    """Whether an instruction of the Tensor engine multiplies packed elements."""
    return any(a.element_type in PACKED for name in ("stationary", "moving") if (a := i.access(name)) is not None)


def mx_matmul(i: Instance) -> str | None:
    """Packed operands and their scales, for the halves of the instruction too (docs/hardware.md#microscaling)."""
    for name in ("stationary", "moving"):
        data, scale = i.access(name), i.access(f"{name}_scale")
        if (data is not None and data.element_type in PACKED) != (scale is not None):
            what = f"{name} is {dtype(data.element_type).name}" if data is not None else f"there is no {name}"
            return f"{name}_scale and packed elements (…_x4) go together; {what}"
        if data is None or scale is None:
            continue
        if (reason := _blocks(name, data) or _scaled(name, data, f"{name}_scale", scale)) is not None:
            return reason
    return _mx_mode(i) if is_mx(i) else None


def _mx_mode(i: Instance) -> str | None:
    for name in ("is_transpose", "is_stationary_onezero", "is_moving_onezero", "perf_mode"):
        if i.fields.get(name):
            return f"a matmul of packed elements has no {name}"
    position, size = i.fields.get("tile_position"), i.fields.get("tile_size")
    if isinstance(position, tuple) and isinstance(size, tuple) and (position[1], size[1]) != (0, 128):
        columns = f"{size[1]} from {position[1]} on"
        return f"a matmul of packed elements has row tiles only, of all 128 columns, not of {columns}"
    stationary = i.access("stationary")
    if stationary is not None and stationary.free_elements % 2:
        return f"stationary has {stationary.free_elements} columns; packed elements need an even number"
    return None


def _quantized(i: Instance) -> str | None:
    src, dst, scale = i.access("src"), i.access("dst"), i.access("dst_scale")
    if src is None or dst is None or scale is None:
        return None
    if src.free_elements % LANES:
        return f"src has {src.free_elements} elements per partition; {LANES} of them make one of dst"
    if (dst.partitions, dst.free_elements) != (src.partitions, src.free_elements // LANES):
        return (
            f"dst must be {src.partitions} x {src.free_elements // LANES} elements, {LANES} of src in each, not"
            f" {dst.partitions} x {dst.free_elements}"
        )
    return _blocks("src", src) or _scaled("dst", dst, "dst_scale", scale)


MX: tuple[Instruction, ...] = (
    Instruction(
        "quantize_mx",
        """Per block of 8 partitions x 4 elements, of largest magnitude m: dst_scale = 2^(floor(log2 m) - (E - 1)), E
        being 8 for float8_e4m3fn and 15 for float8_e5m2, and 2^-127 where m is 0; dst = src / dst_scale.""",
        (VECTOR,),
        (
            Operand("dst", "dst", SBUF, _FP8, shape="own"),
            Operand("src", "src", SBUF, _SHORT, shape="own"),
            scales("dst_scale", "dst"),
        ),
        (),
        (_quantized,),
        cores=("v4",),
    ),
)
