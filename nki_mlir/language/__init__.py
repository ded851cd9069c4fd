"""The kernel language with Triton's names: `import nki_mlir.language as tl`.

Functions work inside a kernel (a function decorated with `nki_mlir.jit`); types and `cdiv` anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nki_mlir.frontend.builtin import Language as _Language
from nki_mlir.frontend.dtypes import (
    DType as dtype,
)
from nki_mlir.frontend.dtypes import (
    PointerType,
    bfloat16,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from nki_mlir.frontend.dtypes import (
    boolean as int1,
)
from nki_mlir.frontend.dtypes import (
    float8_e4m3fn as float8e4nv,
)
from nki_mlir.frontend.dtypes import (
    float8_e5m2 as float8e5,
)
from nki_mlir.frontend.values import Value as tensor
from nki_mlir.language import core, extra, math, standard
from nki_mlir.language.core import (
    PropagateNan,
    abs,
    arange,
    assume,
    broadcast,
    broadcast_to,
    cast,
    cdiv,
    ceil,
    clamp,
    cos,
    debug_barrier,
    device_assert,
    device_print,
    dot,
    erf,
    exp,
    exp2,
    expand_dims,
    fdiv,
    floor,
    fma,
    full,
    log,
    log2,
    max_constancy,
    max_contiguous,
    maximum,
    minimum,
    multiple_of,
    num_programs,
    permute,
    program_id,
    reshape,
    rsqrt,
    sigmoid,
    sin,
    sqrt,
    static_assert,
    static_print,
    static_range,
    tanh,
    trans,
    where,
    zeros,
    zeros_like,
)
from nki_mlir.language.core import range_ as range
from nki_mlir.language.memory import (
    advance,
    atomic_add,
    atomic_and,
    atomic_cas,
    atomic_max,
    atomic_min,
    atomic_or,
    atomic_xchg,
    atomic_xor,
    load,
    load_tensor_descriptor,
    make_block_ptr,
    make_tensor_descriptor,
    store,
    store_tensor_descriptor,
)
from nki_mlir.language.standard import (
    argmax,
    argmin,
    associative_scan,
    cat,
    cumprod,
    cumsum,
    flip,
    interleave,
    join,
    max,
    min,
    ravel,
    reduce,
    reduce_or,
    softmax,
    split,
    squeeze,
    sum,
    swizzle2d,
    unsqueeze,
    xor_sum,
)

__all__ = [
    "PointerType",
    "PropagateNan",
    "abs",
    "advance",
    "arange",
    "argmax",
    "argmin",
    "associative_scan",
    "assume",
    "atomic_add",
    "atomic_and",
    "atomic_cas",
    "atomic_max",
    "atomic_min",
    "atomic_or",
    "atomic_xchg",
    "atomic_xor",
    "bfloat16",
    "broadcast",
    "broadcast_to",
    "cast",
    "cat",
    "cdiv",
    "ceil",
    "clamp",
    "constexpr",
    "core",
    "cos",
    "cumprod",
    "cumsum",
    "debug_barrier",
    "device_assert",
    "device_print",
    "div_rn",
    "dot",
    "dtype",
    "erf",
    "exp",
    "exp2",
    "expand_dims",
    "extra",
    "fdiv",
    "flip",
    "float8e4nv",
    "float8e5",
    "float16",
    "float32",
    "float64",
    "floor",
    "fma",
    "full",
    "int1",
    "int8",
    "int16",
    "int32",
    "int64",
    "interleave",
    "join",
    "load",
    "load_tensor_descriptor",
    "log",
    "log2",
    "make_block_ptr",
    "make_tensor_descriptor",
    "math",
    "max",
    "max_constancy",
    "max_contiguous",
    "maximum",
    "min",
    "minimum",
    "multiple_of",
    "num_programs",
    "permute",
    "pointer_type",
    "program_id",
    "range",
    "ravel",
    "reduce",
    "reduce_or",
    "reshape",
    "rsqrt",
    "sigmoid",
    "sin",
    "softmax",
    "split",
    "sqrt",
    "sqrt_rn",
    "squeeze",
    "standard",
    "static_assert",
    "static_print",
    "static_range",
    "store",
    "store_tensor_descriptor",
    "sum",
    "swizzle2d",
    "tanh",
    "tensor",
    "trans",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unsqueeze",
    "view",
    "where",
    "xor_sum",
    "zeros",
    "zeros_like",
]

view, div_rn, sqrt_rn = reshape, fdiv, sqrt
_experimental_make_tensor_descriptor = make_tensor_descriptor
pointer_type = PointerType

if TYPE_CHECKING:

    class constexpr(Any):
        """Marks a parameter as known at compile time; as a call, a global that kernels may read."""

        def __init__(self, value: Any) -> None: ...

else:

    class constexpr:
        """Marks a parameter as known at compile time; as a call, a global that kernels may read."""

        def __init__(self, value: Any):
            self.value = value.value if isinstance(value, constexpr) else value

        def __repr__(self) -> str:
            return f"constexpr({self.value!r})"

        def __index__(self) -> int:
            return self.value.__index__()

        def __bool__(self) -> bool:
            return bool(self.value)

        def __eq__(self, other: object) -> bool:
            return self.value == (other.value if isinstance(other, constexpr) else other)

        def __hash__(self) -> int:
            return hash(self.value)


_UNSUPPORTED = _Language("tl").unsupported(
    "constexpr_function dot_scaled erfc float8e4b15 "
    "float8e4b8 float8e5b16 gather get_int_dtype histogram inline_asm_elementwise "
    "map_elementwise philox philox_impl "
    "pair_uniform_to_normal rand rand4x randint randint4x randn randn4x slice sort "
    "target_info tensor_descriptor topk tuple umulhi void",
    {},
)


def __getattr__(name: str) -> Any:
    found = _UNSUPPORTED.get(name)
    if found is None:
        raise AttributeError(f"tl has no {name!r}")
    return found
