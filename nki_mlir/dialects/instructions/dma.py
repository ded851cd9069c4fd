"""Transfers: what the DMA engines of a core do, for whichever engine triggers them."""

from __future__ import annotations

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.dtypes import by_name, dtype
from nki_mlir.dialects.instructions.operands import ALL
from nki_mlir.dialects.legality import (
    DMA_SPACES,
    SBUF,
    STORED,
    Field,
    Instance,
    Instruction,
    Operand,
    numbers_convert,
    same_dtype,
)

INDEX_OPERANDS = ("vector_offset", "indices")
MOST_SOURCES = 16
SOURCES = tuple(f"src{k}" for k in range(MOST_SOURCES))

_INDEX_TYPES = frozenset(by_name(n).type for n in ("int32", "uint32"))
_UINT32 = frozenset([by_name("uint32").type])
_HWDGE_ROWS = (1, 2, 4, 8, 16)
_BLOCK = 16
"""Elements of one side of the blocks that a transpose moves."""


def index_of(i: Instance) -> Access | None:
    """The tile whose elements choose rows of the operands in HBM, if the transfer is indirect."""
    return next((found for name in INDEX_OPERANDS if (found := i.access(name)) is not None), None)


def by_rows(i: Instance) -> dict[str, Access]:
    """The operands that are a row for each index of dimension 0, chosen by an index tile or left out where they are
    outside of the tensor: those in HBM."""
    if index_of(i) is None and i.fields.get("oob_mode") != "skip":
        return {}
    return {o.name: a for o, a in i.accesses() if not a.on_chip}


def is_software(i: Instance) -> bool:
    """Whether the GpSimd engine makes the descriptors while the program runs."""
    return i.fields.get("dge_mode") == "swdge" or index_of(i) is not None


def data_operands(i: Instance) -> list[tuple[str, Access]]:
    """All operands but the index tile."""
    return [(o.name, a) for o, a in i.accesses() if o.name not in INDEX_OPERANDS]


def _queue_exists(i: Instance) -> str | None:
    queue, queues = i.fields["queue"], i.target.dma.queues
    if isinstance(queue, int) and not 0 <= queue < queues:
        return f"queue {queue} does not exist; an engine has {queues}"
    return None


def _priority(i: Instance) -> str | None:
    priority = i.fields.get("priority")
    if priority is not None and not i.target.features.transfer_priorities:
        return f"priority needs NeuronCore-v4; {i.target.name} is {i.target.core}"
    if isinstance(priority, int) and not 0 <= priority <= 3:
        return f"priority is 0, the highest, to 3, not {priority}"
    return None


def _equal_elements(i: Instance) -> str | None:
    dst = i.access("dst")
    for name, access in data_operands(i):
        if dst is not None and dst.elements != access.elements:
            return f"dst has {dst.elements} elements and {name} {access.elements}"
    return None


def _descriptors(i: Instance) -> str | None:
    """Who makes the descriptors, and what they can say (docs/hardware.md#descriptor-generation)."""
    mode, indirect = i.fields.get("dge_mode"), index_of(i) is not None
    if mode == "hwdge":
        return _hardware_descriptors(i)
    if is_software(i) and i.engine is not Engine.GPSIMD:
        what = "an indirect transfer" if indirect else "dge_mode swdge"
        return f"{what} is triggered by gpsimd, which makes its descriptors, not by {i.engine}"
    if mode == "none" and indirect:
        return "an indirect transfer has dge_mode swdge; descriptors of mode none are made before the program runs"
    if mode == "none" and _has_run_time_address(i):
        return "dge_mode none has constant addresses; one in a register needs swdge or hwdge"
    return None


def _hardware_descriptors(i: Instance) -> str | None:
    if not i.target.features.hardware_descriptors:
        return f"dge_mode hwdge needs NeuronCore-v3; {i.target.name} is {i.target.core}"
    if index_of(i) is not None:
        return "dge_mode hwdge has no indirect transfers; use swdge"
    if i.engine not in (Engine.SYNC, Engine.SCALAR):
        return f"dge_mode hwdge is triggered by sync or scalar, not by {i.engine}"
    if i.fields.get("dst_rmw_op") is not None:
        return "dge_mode hwdge moves raw bytes and cannot accumulate; use none or swdge"
    types = {dtype(a.element_type).name for _, a in data_operands(i)}
    if len(types) > 1:
        return f"dge_mode hwdge moves raw bytes and cannot convert {' and '.join(sorted(types))}; use none or swdge"
    return None


def _has_run_time_address(i: Instance) -> bool:
    return any(a.address is not None and bool(a.address.registers()) for _, a in i.accesses())


def _bounds_checked(i: Instance) -> str | None:
    """Descriptors that are made at run time check bounds row by row; static ones don't
    (docs/hardware.md#descriptor-generation)."""
    dynamic = i.instruction.name == "dma_copy" and i.fields.get("dge_mode") in ("swdge", "hwdge")
    if i.fields.get("oob_mode") == "skip" and index_of(i) is None and not dynamic:
        return "oob_mode skip needs descriptors that are made at run time, for an index tile or by dge_mode"
    return None


def _row_operands(i: Instance) -> str | None:
    """One row per partition: dimension 0 of a tensor in HBM, and the rows themselves in SBUF."""
    index, rows = i.access("vector_offset"), by_rows(i)
    if index is None and i.fields.get("oob_mode") != "skip":
        return None
    what = "oob_mode skip" if index is None else "vector_offset"
    tiles = [(name, access) for name, access in data_operands(i) if access.on_chip]
    if index is not None and index.free_elements != 1:
        return f"vector_offset has one index per partition, not {index.free_elements}"
    if not rows:
        return f"{what} is about rows of a tensor in HBM; no operand is"
    if not tiles:
        return f"{what} is about rows moved between HBM and SBUF; no operand is in SBUF"
    count = index.partitions if index is not None else tiles[0][1].partitions
    for name, access in rows.items():
        if (reason := _row_dimension(name, access, count)) is not None:
            return reason
    for name, access in tiles:
        if access.partitions != count:
            return f"{name} has {access.partitions} partitions and vector_offset {count}; a row goes to each"
    return None


def _row_dimension(name: str, access: Access, rows: int) -> str | None:
    step, count = access.dims[0]
    if count != rows:
        return f"{name} has {count} rows in its first dimension, not {rows}"
    if step < 1:
        return f"{name}: the step of rows that are chosen or left out is positive, got {step}"
    return None


def _accumulates(i: Instance) -> str | None:
    op = i.fields.get("dst_rmw_op")
    if op is not None and op is not Alu.ADD:
        return f"dst_rmw_op is add, not {op}"
    if op is not None and i.fields.get("oob_mode") == "skip":
        return "dst_rmw_op requires oob_mode error"
    return None


def shape_of(access: Access) -> tuple[int, ...]:
    """Sizes as written, the partitions first."""
    counts = tuple(count for _, count in access.dims)
    return (access.partitions, *counts) if access.on_chip else counts


def _transposed(i: Instance) -> str | None:
    dst, src = i.access("dst"), i.access("src")
    if dst is None or src is None:
        return None
    shape = shape_of(src)
    if not 2 <= len(shape) <= 4:
        return f"src has 2 to 4 dimensions, not {len(shape)}"
    wanted = (shape[-1], *shape[1:-1], shape[0])
    if shape_of(dst) != wanted:
        return f"dst is {_sizes(wanted)}, src with its first and last dimension exchanged, not {_sizes(shape_of(dst))}"
    if src.itemsize not in (2, 4):
        return f"a transpose moves elements of 2 or 4 bytes, not {dtype(src.element_type).name}"
    if i.fields.get("dge_mode") == "swdge" and index_of(i) is None:
        return "dge_mode swdge is for indirect transposes"
    if i.fields.get("dge_mode") == "hwdge":
        return _hardware_transpose(src, shape)
    return _indirect_transpose(i, src, shape)


def _hardware_transpose(src: Access, shape: tuple[int, ...]) -> str | None:
    """Shapes of docs/hardware.md#transposes-by-dma; the last dimension is at most 128, as the isa page has it."""
    if src.itemsize != 2:
        return f"dge_mode hwdge transposes elements of 2 bytes, not {dtype(src.element_type).name}"
    if shape[-1] > 128:
        return f"dge_mode hwdge transposes a last dimension of at most 128, not {shape[-1]}"
    if len(shape) == 2 and shape[0] != _BLOCK:
        return f"dge_mode hwdge transposes {_BLOCK} rows of two dimensions, not {shape[0]}"
    if len(shape) > 2 and (shape[0] not in _HWDGE_ROWS or shape[0] * shape[-2] % _BLOCK):
        rows = ", ".join(str(n) for n in _HWDGE_ROWS)
        return f"dge_mode hwdge transposes {rows} rows that make a multiple of 16 with the second-last dimension"
    return None


def _indirect_transpose(i: Instance, src: Access, shape: tuple[int, ...]) -> str | None:
    indices = i.access("indices")
    if indices is None:
        return None
    if not i.target.features.indirect_transposes:
        return f"an indirect transpose needs NeuronCore-v3; {i.target.name} is {i.target.core}"
    if src.on_chip:
        return "indices choose rows of a src in HBM"
    if src.itemsize != 2:
        return f"an indirect transpose moves elements of 2 bytes, not {dtype(src.element_type).name}"
    if shape[-1] > 128 or shape[0] % _BLOCK:
        return f"an indirect transpose has a multiple of 16 rows of at most 128 elements, not {shape[0]} x {shape[-1]}"
    if len(shape) == 4 and 1 not in shape[1:3]:
        return f"an indirect transpose of four dimensions has 1 as the second or third size, not {_sizes(shape)}"
    return _index_columns(indices, shape[0]) or _row_dimension("src", src, shape[0])


def _index_columns(indices: Access, rows: int) -> str | None:
    partitions, columns = indices.partitions, indices.free_elements
    if not _BLOCK <= partitions <= 128 or partitions % _BLOCK:
        return f"indices have 16 to 128 partitions, a multiple of 16, not {partitions}"
    if columns > 1 and partitions != 128:
        return f"indices of {columns} columns have 128 partitions, not {partitions}"
    if partitions * columns < rows:
        return f"indices choose {rows} rows, of which they have {partitions * columns}"
    return None


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)


def _sums(i: Instance) -> str | None:
    """Weights are those of the descriptors' fused multiply-add [neff]; the isa page has 1.0 only."""
    given = [name for name in SOURCES if i.access(name) is not None]
    if list(SOURCES[: len(given)]) != given:
        return f"sources are numbered without a gap, got {', '.join(given)}"
    if i.fields["reduce_op"] is not Alu.ADD:
        return f"reduce_op is add, not {i.fields['reduce_op']}"
    scales = i.fields.get("scales")
    if isinstance(scales, tuple) and len(scales) != len(given):
        return f"there are {len(given)} sources and {len(scales)} scales"
    return None


def _adds_to_rows(i: Instance) -> str | None:
    """Without indices, constant addresses; with them, dst += src where one side is rows
    (docs/hardware.md#arithmetic-by-dma)."""
    if index_of(i) is None:
        return "the addresses are constants unless it is indirect" if _has_run_time_address(i) else None
    sources = [a for name in SOURCES if (a := i.access(name)) is not None]
    if len(sources) != 2 or i.access("dst") not in sources:
        return "an indirect dma_compute has two sources, one of them its dst"
    if not i.fields.get("unique_indices"):
        return "an indirect dma_compute needs unique_indices: rows that occur twice would lose a sum"
    if any(scale != 1 for scale in _scales(i)):
        return "an indirect dma_compute has scales of 1.0"
    return None


def _scales(i: Instance) -> tuple[float, ...]:
    scales = i.fields.get("scales")
    return scales if isinstance(scales, tuple) else ()


_QUEUE = Field("queue", "integer")
_DGE_MODE = Field("dge_mode", "choice", optional=True, choices=("none", "swdge", "hwdge"))
_PRIORITY = Field("priority", "integer", optional=True)
_OOB_MODE = Field("oob_mode", "choice", optional=True, choices=("error", "skip"))
_DST = Operand("dst", "dst", DMA_SPACES, shape="own")
_SRC = Operand("src", "src", DMA_SPACES, STORED, shape="own")
_VECTOR_OFFSET = Operand("vector_offset", "src", SBUF, _INDEX_TYPES, shape="own", optional=True)

DMA: tuple[Instruction, ...] = (
    Instruction(
        "dma_copy",
        """Starts a transfer between HBM and SBUF, elements in row-major order of both patterns; a type change converts.

        With `dst_rmw_op add` it adds to dst, in fp32. `vector_offset` has the row of each partition: a gather where src
        is in HBM, a scatter where dst is; row r is `r * step` of the HBM side's first dimension from its address on. A
        row outside the tensor is an error, or is left out with `oob_mode "skip"`. A scalar offset is no operand: it is
        a register in the address, and rows are left out alike. `dge_mode` says who makes the descriptors; without one,
        static ones are taken, or software's for an indirect transfer. `priority`, 0 to 3, lets a transfer go before
        those of a higher number.""",
        ALL,
        (_DST.of(STORED), _SRC, _VECTOR_OFFSET),
        (_QUEUE, _PRIORITY, _DGE_MODE, _OOB_MODE, Field("dst_rmw_op", "alu", optional=True)),
        (
            _queue_exists,
            _priority,
            _equal_elements,
            numbers_convert,
            _descriptors,
            _bounds_checked,
            _row_operands,
            _accumulates,
        ),
        transfer="copy",
    ),
    Instruction(
        "dma_transpose",
        """Starts a transfer that exchanges the first and the last dimension of src, bit by bit.

        `indices`, read column by column, choose the rows of a src in HBM.""",
        ALL,
        (
            Operand("dst", "dst", SBUF, STORED, shape="own"),
            _SRC,
            Operand("indices", "src", SBUF, _UINT32, shape="own", optional=True),
        ),
        (_QUEUE, _PRIORITY, _DGE_MODE, _OOB_MODE),
        (_queue_exists, _priority, same_dtype("dst", "src"), _descriptors, _bounds_checked, _transposed),
        transfer="transpose",
    ),
    Instruction(
        "dma_compute",
        """Starts a transfer that writes the sum of up to 16 sources, each times its scale, computed in fp32.

        With `vector_offset` it adds to the rows of dst in HBM, or adds rows of a source in HBM to dst.""",
        ALL,
        (
            _DST,
            *(Operand(name, "src", DMA_SPACES, shape="own", optional=name != "src0") for name in SOURCES),
            _VECTOR_OFFSET,
        ),
        (
            _QUEUE,
            Field("reduce_op", "alu"),
            Field("scales", "numbers", optional=True),
            Field("unique_indices", "flag"),
            _OOB_MODE,
        ),
        (_queue_exists, _equal_elements, _sums, _descriptors, _bounds_checked, _row_operands, _adds_to_rows),
        transfer="sum",
    ),
)
