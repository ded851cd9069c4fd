"""The kernel language with Triton's names: `import nki_mlir.language as tl`.

Functions work inside a kernel (a function decorated with `nki_mlir.jit`); types and `cdiv` anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nki_mlir.frontend import dtypes as _dtypes
from nki_mlir.frontend.builtin import public_names as _public_names
from nki_mlir.frontend.dtypes import PointerType as PointerType
from nki_mlir.frontend.dtypes import bfloat16 as bfloat16
from nki_mlir.frontend.dtypes import float16 as float16
from nki_mlir.frontend.dtypes import float32 as float32
from nki_mlir.frontend.dtypes import float64 as float64
from nki_mlir.frontend.dtypes import int8 as int8
from nki_mlir.frontend.dtypes import int16 as int16
from nki_mlir.frontend.dtypes import int32 as int32
from nki_mlir.frontend.dtypes import int64 as int64
from nki_mlir.frontend.dtypes import uint8 as uint8
from nki_mlir.frontend.dtypes import uint16 as uint16
from nki_mlir.frontend.dtypes import uint32 as uint32
from nki_mlir.frontend.dtypes import uint64 as uint64
from nki_mlir.frontend.values import Value as _Value
from nki_mlir.language import core as core
from nki_mlir.language import extra as extra
from nki_mlir.language import math as math
from nki_mlir.language import memory as _memory
from nki_mlir.language import standard as standard
from nki_mlir.language.core import *  # noqa: F403
from nki_mlir.language.elementwise import TRITON as _TRITON
from nki_mlir.language.elementwise import PropagateNan as PropagateNan
from nki_mlir.language.memory import *  # noqa: F403
from nki_mlir.language.standard import *  # noqa: F403

range, view = core.range_, core.reshape
div_rn, sqrt_rn = core.fdiv, core.sqrt
_experimental_make_tensor_descriptor = _memory.make_tensor_descriptor
dtype, tensor, pointer_type = _dtypes.DType, _Value, PointerType
int1, float8e4nv, float8e5 = _dtypes.boolean, _dtypes.float8_e4m3fn, _dtypes.float8_e5m2

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


_UNSUPPORTED = {
    **_TRITON.unsupported("gather histogram sort", member=True),
    **_TRITON.unsupported(
        "constexpr_function dot_scaled erfc float8e4b15 float8e4b8 float8e5b16 get_int_dtype inline_asm_elementwise "
        "map_elementwise philox philox_impl pair_uniform_to_normal rand rand4x randint randint4x randn randn4x slice "
        "target_info tensor_descriptor topk tuple umulhi void"
    ),
}


def __getattr__(name: str) -> Any:
    found = _UNSUPPORTED.get(name)
    if found is None:
        raise AttributeError(f"tl has no {name!r}")
    return found


__all__ = ["core", "extra", "math", "standard", *_public_names(globals())]  # pyright: ignore[reportUnsupportedDunderAll]
