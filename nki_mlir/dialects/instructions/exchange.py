"""Transfers between the two cores of a pair."""

from __future__ import annotations

from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.instructions.operands import ALL
from nki_mlir.dialects.legality import SBUF, STORED, Field, Instance, Instruction, Operand, same_dtype

_GPSIMD_BYTES = 256
"""What GpSimd's own DMA moves per partition, times the bytes of an element
(docs/hardware.md#exchange-between-cores)."""


def _same_layout(i: Instance) -> str | None:
    dst, src = i.access("dst"), i.access("src")
    assert dst is not None and src is not None
    if (dst.partitions, [c for _, c in dst.dims]) != (src.partitions, [c for _, c in src.dims]):
        return "dst and src must have the same partitions and sizes"
    return None


def _the_other_rank(i: Instance) -> str | None:
    ranks = i.fields["send_to_rank"], i.fields["recv_from_rank"]
    if ranks not in ((0, 0), (1, 1)):
        return f"send_to_rank and recv_from_rank are both the other core's, 0 or 1, not {ranks[0]} and {ranks[1]}"
    return None


def _pipe(i: Instance) -> str | None:
    return None if int(str(i.fields["pipe_id"])) >= 0 else f"pipe_id is not negative, got {i.fields['pipe_id']}"


def _gpsimd_dma(i: Instance) -> str | None:
    if i.fields.get("dma_engine") != "gpsimd_dma":
        return None
    src = i.access("src")
    assert src is not None
    if i.engine is not Engine.GPSIMD:
        return f"dma_engine gpsimd_dma is triggered by gpsimd, not by {i.engine}"
    if src.free_elements > _GPSIMD_BYTES:
        most, found = _GPSIMD_BYTES * src.itemsize, src.free_elements * src.itemsize
        return f"dma_engine gpsimd_dma moves at most {most} bytes per partition of this type, not {found}"
    return None


EXCHANGE: tuple[Instruction, ...] = (
    Instruction(
        "sendrecv",
        """Starts an exchange with the other core of the pair (2n and 2n + 1): its dst gets src, dst gets its src.

        The k-th sendrecv of one pipe on one core goes with the k-th on the other; each completes, and updates its
        semaphore, when both transfers are done.""",
        ALL,
        (Operand("dst", "dst", SBUF, STORED, shape="own"), Operand("src", "src", SBUF, STORED, shape="own")),
        (
            Field("send_to_rank", "integer"),
            Field("recv_from_rank", "integer"),
            Field("pipe_id", "integer"),
            Field("dma_engine", "choice", optional=True, choices=("dma", "gpsimd_dma")),
        ),
        (same_dtype("dst", "src"), _same_layout, _the_other_rank, _pipe, _gpsimd_dma),
        cores=("v3", "v4"),
        levels=("neuron.isa",),
        transfer="exchange",
    ),
)
