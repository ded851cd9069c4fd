"""Matrix products and transposes."""

from __future__ import annotations

from xdsl.ir import Attribute

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name, dtype
from nki_mlir.dialects.instructions.mx import mx_matmul, scales
from nki_mlir.dialects.instructions.operands import ACCUMULATE, MOVING, PSUM_DST, STATIONARY, TENSOR, VECTOR
from nki_mlir.dialects.legality import (
    FLOATS,
    PACKED,
    STORED,
    WIDE_MATMUL,
    Field,
    Instance,
    Instruction,
    Operand,
    same_dtype,
)

_F32, _BF16, _UINT16 = (by_name(n).type for n in ("float32", "bfloat16", "uint16"))
E4M3 = frozenset(by_name(n).type for n in ("float8_e4m3", "float8_e4m3fn"))
_FP8 = E4M3 | {by_name("float8_e5m2").type}

LOADED = ("stationary", "stationary_scale")
"""The operands of a matmul that load_stationary takes; multiply_moving takes the others."""

Pair = tuple[int, int]


def tile_of(i: Instance) -> tuple[Pair, Pair]:
    """Position and size, in rows and columns, of the part of the array that a matmul uses."""
    position, size = i.fields.get("tile_position"), i.fields.get("tile_size")
    if isinstance(position, tuple) and isinstance(size, tuple):
        return (position[0], position[1]), (size[0], size[1])
    return (0, 0), (i.target.limits.partitions, i.target.limits.stationary_free)


def is_double_row(i: Instance) -> bool:
    """Whether each row of the array takes two 8-bit elements: a contraction of 2 x 128."""
    return i.fields.get("perf_mode") == "double_row"


def depth(i: Instance, access: Access) -> int:
    """What a row of the array takes of each column of a stationary or moving tile: one number, 2 in double-row mode, 4
    of packed elements."""
    return 2 if is_double_row(i) else dtype(access.element_type).lanes


def columns(i: Instance, access: Access) -> int:
    """Columns of a stationary or moving tile: [K, columns], or [K, 2, columns] in double-row mode."""
    return access.free_elements // (2 if is_double_row(i) else 1)


def is_bit_transpose(i: Instance) -> bool:
    """Whether a matmul passes the stationary tile's bits through; on NeuronCore-v2 is_transpose is a mere remark."""
    return bool(i.fields.get("is_transpose")) and i.target.features.bit_transposes


def array_output(element_type: Attribute) -> Attribute:
    """The element type in PSUM of a bit transpose of such elements: those of 8 bits get a zero upper byte."""
    return element_type if dtype(element_type).bytes > 1 else _UINT16


def _array_tile(i: Instance) -> str | None:
    """Tiles of the array, and the partitions that belong to them (docs/hardware.md#tiles-of-the-array)."""
    position, size = i.fields.get("tile_position"), i.fields.get("tile_size")
    if position is None and size is None:
        return None
    if not isinstance(position, tuple) or not isinstance(size, tuple) or (len(position), len(size)) != (2, 2):
        return "tile_position and tile_size go together, each two numbers: rows and columns"
    for what, at, extent in zip(("row", "column"), position, size, strict=True):
        if extent not in (32, 64, 128):
            return f"a tile has 32, 64 or 128 {what}s, not {extent}"
        if extent == 32 and not i.target.features.array_tiles_of_32:
            return f"a tile of 32 {what}s needs NeuronCore-v3; {i.target.name} is v2, which has tiles of 64 and 128"
        if at % extent or not 0 <= at < 128:
            return f"a tile of {extent} {what}s starts at a multiple of {extent} below 128, not at {at}"
    return _tile_operands(i, position, size)


def _tile_operands(i: Instance, position: tuple[int, ...], size: tuple[int, ...]) -> str | None:
    stationary, moving, dst = i.access("stationary"), i.access("moving"), i.access("dst")
    for name, access in (("stationary", stationary), ("moving", moving)):
        if access is not None and access.partitions > size[0]:
            return f"{name} has {access.partitions} partitions; the tile has {size[0]} rows"
        if access is not None and access.start != position[0]:
            return f"{name} starts at partition {access.start}; the tile's rows start at {position[0]}"
    if stationary is not None and columns(i, stationary) > size[1]:
        return f"stationary has {columns(i, stationary)} columns; the tile has {size[1]}"
    if dst is not None and dst.partitions > size[1]:
        return f"dst has {dst.partitions} partitions; the tile has {size[1]} columns"
    if dst is not None and dst.start != position[1]:
        return f"dst starts at partition {dst.start}; the tile's columns start at {position[1]}"
    return None


def _double_row(i: Instance) -> str | None:
    if not is_double_row(i):
        return None
    if not i.target.features.double_row:
        return f"perf_mode double_row needs NeuronCore-v3; {i.target.name} is {i.target.core}"
    if i.fields.get("is_transpose"):
        return "perf_mode double_row excludes is_transpose"
    if tile_of(i)[1][1] != i.target.limits.stationary_free:
        return "perf_mode double_row excludes column tiles"
    for name in ("stationary", "moving"):
        access = i.access(name)
        if access is not None and access.element_type not in _FP8:
            return f"perf_mode double_row takes 8-bit floats; {name} is {dtype(access.element_type).name}"
        if access is not None and (len(access.dims) < 2 or access.dims[0][1] != 2):
            return f"in perf_mode double_row the first free dimension of {name} has 2 elements"
    return None


def _matmul_inputs(i: Instance) -> str | None:
    """K on the partitions of both inputs, M <= 128 (docs/hardware.md#matmul)."""
    limits = i.target.limits
    stationary, moving, dst = i.access("stationary"), i.access("moving"), i.access("dst")
    if stationary is not None and columns(i, stationary) > limits.stationary_free:
        return f"stationary has {columns(i, stationary)} columns; the array takes {limits.stationary_free}"
    if stationary is None or moving is None:
        return None
    if stationary.partitions != moving.partitions:
        return f"stationary has K = {stationary.partitions} partitions and moving {moving.partitions}"
    if len({a.element_type in WIDE_MATMUL for a in (stationary, moving)}) > 1:
        return "if one input is float32 or tfloat32 the other must be too"
    if {stationary.element_type, moving.element_type} == E4M3:
        return "float8_e4m3 and float8_e4m3fn may not appear together"
    if dst is not None and dst.partitions != columns(i, stationary):
        return f"dst has {dst.partitions} partitions; stationary has {columns(i, stationary)} columns"
    return None


def _matmul_output(i: Instance) -> str | None:
    """N <= 512 and one PSUM bank; on v4 all banks, so that N <= 4096 for float32 and 8192 for bfloat16."""
    memory, limits = i.target.memory, i.target.limits
    moving, dst = i.access("moving"), i.access("dst")
    if moving is None or dst is None:
        return None
    size, n = limits.matmul_banks * memory.psum_bank_bytes, columns(i, moving)
    most = limits.moving_free if limits.matmul_banks == 1 else size // dst.itemsize
    if n > most:
        wider = "; NeuronCore-v4 writes several banks" if n > limits.moving_free and limits.matmul_banks == 1 else ""
        return f"moving has {n} columns; one matmul takes {most}{wider}"
    if dst.free_elements != n:
        return f"dst has {dst.free_elements} columns and moving {n}"
    known = dst.address is not None and dst.address.is_const
    low, high = (byte + (dst.address.const if known and dst.address else 0) for byte in dst.extent)
    if high - low > size or (known and low // size != (high - 1) // size):
        banks = "one bank" if limits.matmul_banks == 1 else f"{limits.matmul_banks} banks"
        return f"dst covers bytes {low}..{high} of each partition; a matmul writes within {banks} of {size} bytes"
    return None


def _matmul_dtype(i: Instance) -> str | None:
    dst, data = i.access("dst"), i.access("stationary")
    if dst is None:
        return None
    if is_bit_transpose(i):
        if data is not None and dst.element_type != array_output(data.element_type):
            return _output_must_be(dst, data, "the transpose")
        return None
    name = dtype(dst.element_type).name
    if i.fields.get("is_transpose") and dst.element_type != _F32:
        return f"a transpose leaves {name} in PSUM from NeuronCore-v3 on; {i.target.name} multiplies, dst is float32"
    if dst.element_type == _BF16 and not i.target.features.bfloat16_sums:
        return f"a matmul leaves bfloat16 in PSUM from NeuronCore-v4 on; on {i.target.name} dst is float32"
    if dst.element_type not in (_F32, _BF16):
        return f"dst is float32, or bfloat16 from NeuronCore-v4 on, not {name}"
    return None


def _output_must_be(dst: Access, data: Access, what: str) -> str:
    wanted = dtype(data.element_type).name if data.itemsize > 1 else "uint16 (the upper byte is zero)"
    return f"{what} of {dtype(data.element_type).name} is {wanted} in PSUM, not {dtype(dst.element_type).name}"


def _transpose_shapes(i: Instance) -> str | None:
    dst, data = i.access("dst"), i.access("data")
    if dst is None or data is None:
        return None
    if (dst.partitions, dst.free_elements) != (data.free_elements, data.partitions):
        return (
            f"dst must be {data.free_elements} x {data.partitions}, the transpose of data, not"
            f" {dst.partitions} x {dst.free_elements}"
        )
    most = 32 if i.engine is Engine.VECTOR else 128
    if max(data.partitions, data.free_elements) > most:
        return f"{i.engine} transposes at most {most} x {most}, not {data.partitions} x {data.free_elements}"
    if i.engine is Engine.TENSOR and (data.space is not Space.SBUF or dst.space is not Space.PSUM):
        return "the Tensor engine transposes from SBUF to PSUM"
    return None


def _transpose_dtype(i: Instance) -> str | None:
    """dst has the type of data. The array of v2 multiplies, and can leave its fp32; that of v3 and later widens 8-bit
    elements (docs/hardware.md#transposes)."""
    dst, data = i.access("dst"), i.access("data")
    if dst is None or data is None:
        return None
    passes_bits = i.target.features.bit_transposes
    if i.engine is Engine.TENSOR and passes_bits and dst.element_type != array_output(data.element_type):
        return _output_must_be(dst, data, "the transpose")
    if i.engine is not Engine.TENSOR:
        return same_dtype("dst", "data")(i)
    if not passes_bits and dst.element_type not in (data.element_type, _F32):
        name = dtype(data.element_type).name
        widens = "; NeuronCore-v3 widens it to uint16" if dst.element_type == _UINT16 and data.itemsize == 1 else ""
        return f"the transpose of {name} is {name} or float32, not {dtype(dst.element_type).name}{widens}"
    return None


_AREA = (Field("tile_position", "integers", optional=True), Field("tile_size", "integers", optional=True))
_TILE = (
    Field("is_transpose", "flag"),
    Field("is_stationary_onezero", "flag"),
    Field("is_moving_onezero", "flag"),
    *_AREA,
    Field("perf_mode", "choice", optional=True, choices=("double_row",)),
)
_RULES = (mx_matmul, _array_tile, _double_row, _matmul_inputs, _matmul_output, _matmul_dtype)
_MX_STATIONARY, _MX_MOVING = STATIONARY.of(PACKED), MOVING.of(PACKED)

TENSOR_ENGINE: tuple[Instruction, ...] = (
    Instruction(
        "nc_transpose",
        "dst = data transposed, partitions against flattened free elements.",
        (VECTOR, TENSOR),
        (Operand("dst", "dst", dtypes=STORED, shape="own"), Operand("data", "src", dtypes=STORED, shape="own")),
        (),
        (_transpose_shapes, _transpose_dtype),
        array="transpose",
    ),
    Instruction(
        "nc_matmul",
        """dst[m, n] (+)= sum over k of stationary[k, m] * moving[k, n]: load-stationary and multiply-moving as one.

        A tile of the array, `tile_size` rows and columns at `tile_position`, works by itself: inputs are on its rows'
        partitions, dst on its columns'. `is_transpose` says that moving is an identity. The one-zero hints say that an
        fp32 input holds only zeros and ones. In `perf_mode "double_row"` inputs are [K, 2, M] and [K, 2, N].""",
        (TENSOR,),
        (PSUM_DST, STATIONARY, MOVING),
        (ACCUMULATE, *_TILE),
        _RULES,
        levels=("neuron.engine",),
        expands_to=("load_stationary", "multiply_moving"),
    ),
    Instruction(
        "nc_matmul_mx",
        """dst[m, n] (+)= sum over k, lane j of stationary[k, m][j] * moving[k, n][j], each times the scale of its block
        of 8 partitions x 4 lanes. Tiles of the array are of 128 columns.""",
        (TENSOR,),
        (PSUM_DST, _MX_STATIONARY, _MX_MOVING, scales("stationary_scale", "src"), scales("moving_scale", "src")),
        (ACCUMULATE, *_AREA),
        _RULES,
        cores=("v4",),
        levels=("neuron.engine",),
        expands_to=("load_stationary", "multiply_moving"),
    ),
    Instruction(
        "load_stationary",
        """Loads the K x M tile that the following multiply_moving instructions on this tile of the array use. Packed
        elements come with the scales of their blocks.""",
        (TENSOR,),
        (STATIONARY.of(FLOATS | PACKED), scales("stationary_scale", "src", optional=True)),
        _TILE,
        _RULES,
        levels=("neuron.isa",),
        array="load",
    ),
    Instruction(
        "multiply_moving",
        "dst[m, n] (+)= sum over k of stationary[k, m] * moving[k, n], for the stationary tile loaded last.",
        (TENSOR,),
        (PSUM_DST, MOVING.of(FLOATS | PACKED), scales("moving_scale", "src", optional=True)),
        (ACCUMULATE, *_TILE),
        _RULES,
        levels=("neuron.isa",),
        array="multiply",
    ),
)
