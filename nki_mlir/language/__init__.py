"""The kernel language with Triton's names: `import nki_mlir.language as tl`.

Functions work inside a kernel (a function decorated with `nki_mlir.jit`); types and `cdiv` anywhere.
"""

from __future__ import annotations

from typing import Any

from nki_mlir.frontend.builtin import public_names as _public_names
from nki_mlir.language import core as core
from nki_mlir.language import extra as extra
from nki_mlir.language import math as math
from nki_mlir.language import memory as _memory
from nki_mlir.language import random as random
from nki_mlir.language import standard as standard
from nki_mlir.language.core import *  # noqa: F403
from nki_mlir.language.elementwise import TRITON as _TRITON
from nki_mlir.language.elementwise import PropagateNan as PropagateNan
from nki_mlir.language.memory import *  # noqa: F403
from nki_mlir.language.random import *  # noqa: F403
from nki_mlir.language.standard import *  # noqa: F403
from nki_mlir.language.types import *  # noqa: F403

range, view = core.range_, core.reshape
div_rn, sqrt_rn = core.fdiv, core.sqrt
_experimental_make_tensor_descriptor = _memory.make_tensor_descriptor

_UNSUPPORTED = {
    **_TRITON.unsupported("gather histogram sort", member=True),
    **_TRITON.unsupported(
        "constexpr_function dot_scaled erfc float8e4b15 float8e4b8 float8e5b16 inline_asm_elementwise "
        "map_elementwise slice target_info tensor_descriptor topk tuple void"
    ),
}


def __getattr__(name: str) -> Any:
    found = _UNSUPPORTED.get(name)
    if found is None:
        raise AttributeError(f"tl has no {name!r}")
    return found


__all__ = ["core", "extra", "math", "random", "standard", *_public_names(globals())]  # pyright: ignore[reportUnsupportedDunderAll]
