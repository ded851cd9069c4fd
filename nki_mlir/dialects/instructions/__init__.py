"""The instruction table: name, engines, operands, fields and legality of every machine instruction, once.

`neuron.engine` and `neuron.isa` build their operations from it, so that the assembly of both, the verifiers of both,
the meaning (`executor/meaning/`) and the cost (`targets/costs.toml` and the targets' own) are all found under one name.
Each module here is a group of instructions with the rules that only they have; the model and the rules that all keep
are in `legality.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from nki_mlir.dialects.alu import (  # noqa: F401
    BITWISE,
    COMPARISONS,
    GPSIMD_ONLY,
    GPSIMD_TENSOR_TENSOR,
    REDUCING,
    SCALAR_ENGINE_PAIRS,
    UNARY,
    Alu,
    AluAttr,
    Function,
    FunctionAttr,
    ReduceCommand,
    ReduceCommandAttr,
)
from nki_mlir.dialects.instructions.activation import ACTIVATION
from nki_mlir.dialects.instructions.dma import DMA
from nki_mlir.dialects.instructions.elementwise import ELEMENTWISE
from nki_mlir.dialects.instructions.exchange import EXCHANGE
from nki_mlir.dialects.instructions.gpsimd import GPSIMD_ENGINE
from nki_mlir.dialects.instructions.mx import MX
from nki_mlir.dialects.instructions.random import RANDOM
from nki_mlir.dialects.instructions.reduction import REDUCTION
from nki_mlir.dialects.instructions.search import SEARCH
from nki_mlir.dialects.instructions.tensor import TENSOR_ENGINE
from nki_mlir.dialects.legality import (  # noqa: F401
    FLOATS,
    INTEGERS,
    WIDE_MATMUL,
    Field,
    Instance,
    Instruction,
    Operand,
    check,
)

INSTRUCTIONS: tuple[Instruction, ...] = (
    *ELEMENTWISE,
    *ACTIVATION,
    *REDUCTION,
    *SEARCH,
    *GPSIMD_ENGINE,
    *RANDOM,
    *TENSOR_ENGINE,
    *MX,
    *DMA,
    *EXCHANGE,
)
BY_NAME: dict[str, Instruction] = {i.name: i for i in INSTRUCTIONS}

_COLLECTIVE = "a collective of several chips, and the model is of one"
NOT_MODELLED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "all_reduce",
            "all_gather",
            "all_gather_v",
            "reduce_scatter",
            "all_to_all",
            "all_to_all_v",
            "collective_permute",
            "collective_permute_implicit",
            "collective_permute_implicit_reduce",
            "collective_permute_implicit_current_processing_rank_id",
            "sendrecv_compute",
        ),
        _COLLECTIVE,
    ),
    "builtin_custom_op": "its body is a compiled routine, which says nothing about what it computes",
    "extended_inst": "an opaque operation code, whose operands and meaning are not published",
    "device_print": "a debugging aid that leaves the machine's state as it is",
    "register_alloc": "a compile-time notion: an instruction names its registers by number",
    "load_mask_register": "the mask is a field of nc_stream_shuffle; how a register holds 32 entries is not published",
    "nc_matmul_sparse": "no document describes its operands; only its throughput is published",
}
"""Instructions that are known by name and left out, and why."""


def why_not_modelled(op_name: str) -> str | None:
    """The reason, for an operation of a machine level that is left out."""
    level, _, name = op_name.rpartition(".")
    return NOT_MODELLED.get(name) if level in ("neuron.engine", "neuron.isa") else None
