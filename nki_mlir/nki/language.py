"""The kernel language with NKI's names: `import nki_mlir.nki.language as nl`.

Functions work inside a kernel (a function decorated with `nki_mlir.nki.jit`); types and sizes anywhere.
"""

from __future__ import annotations

from typing import Any

from nki_mlir.frontend import dtypes as _dtypes
from nki_mlir.frontend.builtin import public_names as _public_names
from nki_mlir.frontend.dtypes import bfloat16 as bfloat16
from nki_mlir.frontend.dtypes import float8_e4m3 as float8_e4m3
from nki_mlir.frontend.dtypes import float8_e4m3fn as float8_e4m3fn
from nki_mlir.frontend.dtypes import float8_e5m2 as float8_e5m2
from nki_mlir.frontend.dtypes import float16 as float16
from nki_mlir.frontend.dtypes import float32 as float32
from nki_mlir.frontend.dtypes import int8 as int8
from nki_mlir.frontend.dtypes import int16 as int16
from nki_mlir.frontend.dtypes import int32 as int32
from nki_mlir.frontend.dtypes import tfloat32 as tfloat32
from nki_mlir.frontend.dtypes import uint8 as uint8
from nki_mlir.frontend.dtypes import uint16 as uint16
from nki_mlir.frontend.dtypes import uint32 as uint32
from nki_mlir.nki import core as _core
from nki_mlir.nki.core import *  # noqa: F403
from nki_mlir.nki.core import hbm as hbm
from nki_mlir.nki.core import mgrid as mgrid
from nki_mlir.nki.core import private_hbm as private_hbm
from nki_mlir.nki.core import psum as psum
from nki_mlir.nki.core import sbuf as sbuf
from nki_mlir.nki.core import shared_hbm as shared_hbm
from nki_mlir.nki.core import tile_size as tile_size

range, bool_ = _core.range_, _dtypes.boolean

_UNSUPPORTED = _core.NKI.unsupported(
    "all all_reduce any arctan atomic_rmw ctz device_print dropout dynamic_range empty_like erf_dx expm1 "
    "float4_e2m1fn_x4 float8_e4m3fn_x4 float8_e5m2_x4 fmod gather_flattened gelu_apprx_sigmoid gelu_apprx_sigmoid_dx "
    "gelu_apprx_tanh gelu_dx invert left_shift load_transpose2d loop_reduce mish mod nc no_reorder power prod rand "
    "random_seed right_shift rms_norm rng shared_constant shared_identity_matrix sign silu_dx "
    "skip_middle_end_transformations softmax softplus spmd_dim tan tanh_dx trunc var zeros_like fp32 gather shuffle",
    {"spmd_dim": "give the grid as integers", "nc": "give the grid as integers"},
)


def __getattr__(name: str) -> Any:
    found = _UNSUPPORTED.get(name)
    if found is None:
        raise AttributeError(f"nl has no {name!r}")
    return found


__all__ = _public_names(globals())  # pyright: ignore[reportUnsupportedDunderAll]
