"""Every instruction, operator and function of the machine that public documents name, with the cores that have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ALL, _V3, _V4 = ("v2", "v3", "v4"), ("v3", "v4"), ("v4",)

_TENSOR = "nc_matmul nc_transpose load_stationary multiply_moving"
_ELEMENTWISE = """
    activation activation_reduce tensor_tensor tensor_scalar tensor_scalar_reduce tensor_scalar_cumulative
    scalar_tensor_tensor tensor_tensor_scan tensor_reduce tensor_copy tensor_copy_dynamic_src tensor_copy_dynamic_dst
    tensor_copy_predicated memset reciprocal dropout bn_stats bn_aggr max8 nc_find_index8 nc_match_replace8
    match_value_load nc_stream_shuffle load_mask_register select_reduce
"""
_GPSIMD = """
    iota affine_select tensor_partition_reduce local_gather nc_n_gather sequence_bounds topk rng set_rng_seed
    builtin_custom_op extended_inst device_print
"""
_DMA = "dma_copy dma_transpose dma_compute sendrecv_compute"
_CONTROL = "register_alloc register_move register_load register_store register_alu_op cmp_branch"
_COLLECTIVE = """
    all_reduce all_gather all_gather_v reduce_scatter all_to_all all_to_all_v collective_permute
    collective_permute_implicit collective_permute_implicit_reduce rank_id
    collective_permute_implicit_current_processing_rank_id
"""
_FROM_V3 = "range_select nonzero_with_count sendrecv core_barrier rand_set_state rand_get_state nc_matmul_sparse"
_FROM_V4 = "nc_matmul_mx activate2 exponential quantize_mx rand2"

CORES: Mapping[str, tuple[str, ...]] = {
    **{name: _ALL for names in (_TENSOR, _ELEMENTWISE, _GPSIMD, _DMA, _CONTROL, _COLLECTIVE) for name in names.split()},
    **dict.fromkeys(_FROM_V3.split(), _V3),
    **dict.fromkeys(_FROM_V4.split(), _V4),
}

_EVERYWHERE, _VECTOR, _GPSIMD = ("vector", "scalar", "gpsimd"), ("vector",), ("gpsimd",)


@dataclass(frozen=True)
class Operator:
    """`engines` that compute it, as an operator or else as an instruction or function; `reduces` as tensor_reduce's."""

    engines: tuple[str, ...]
    kind: str = "arithmetic"
    reduces: bool = False
    cores: tuple[str, ...] = _ALL


OPERATORS: Mapping[str, Operator] = {
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor".split(), Operator(_VECTOR, "bitwise", True)),
    **dict.fromkeys("invert left_shift right_shift".split(), Operator(_VECTOR, "bitwise")),
    **dict.fromkeys("add multiply".split(), Operator(_EVERYWHERE, reduces=True)),
    "subtract": Operator(("vector", "gpsimd"), reduces=True),
    **dict.fromkeys("maximum minimum".split(), Operator(_VECTOR, reduces=True)),
    **dict.fromkeys("equal not_equal greater_equal greater less_equal less".split(), Operator(_VECTOR, "comparison")),
    "logical_not": Operator(_VECTOR, "logical"),
    **dict.fromkeys("logical_and logical_or logical_xor".split(), Operator(_VECTOR, "logical", True)),
    "power": Operator(_GPSIMD),
    "rsqrt": Operator(("gpsimd", "scalar")),
    **dict.fromkeys("reciprocal abs square relu bypass".split(), Operator(("vector", "scalar"))),
    **dict.fromkeys("abs_max abs_min".split(), Operator(_VECTOR, cores=_V4)),
    **dict.fromkeys("divide mod".split(), Operator(_VECTOR)),
    "average": Operator(_GPSIMD, reduces=True),
}

FUNCTIONS = frozenset(
    """
    copy square sigmoid relu prelu gelu gelu_dx gelu_apprx_tanh gelu_apprx_sigmoid gelu_apprx_sigmoid_dx silu silu_dx tanh
    softplus mish erf erf_dx exp log sin arctan sqrt rsqrt reciprocal sign abs
    """.split()
)
"""Of the Scalar engine, on all cores."""
