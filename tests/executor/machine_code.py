"""Helpers of the executor's tests: programs from text, and single instructions on an image of the on-chip memories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, ModuleOp, StringAttr
from xdsl.ir import Attribute
from xdsl.parser import Parser

from nki_mlir.dialects import load_all
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name, dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import CoreOp, ProgramOp, StreamOp, TensorOp, Update, Wait, instruction_op
from nki_mlir.executor import RunResult
from nki_mlir.executor.executable import Executable

Array = NDArray[Any]
PROGRAMS = Path(__file__).parent / "programs"
WIDTH = 2048
"""Bytes of each partition that an image covers, in SBUF and in PSUM."""

NUMPY: dict[str, Any] = {
    "float32": np.float32,
    "tfloat32": np.float32,
    "bfloat16": ml_dtypes.bfloat16,
    "float16": np.float16,
    "float8_e4m3": ml_dtypes.float8_e4m3,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    **{name: np.dtype(name).type for name in ("int32", "int16", "int8", "uint32", "uint16", "uint8")},
    "float8_e5m2_x4": np.uint32,
    "float8_e4m3fn_x4": np.uint32,
    "float4_e2m1fn_x4": np.uint16,
    "float8_e8m0fnu": ml_dtypes.float8_e8m0fnu,
}
U8 = by_name("uint8").type


@cache
def _context() -> Context:
    ctx = Context()
    load_all(ctx)
    return ctx


def parse(text: str, name: str = "program.mlir") -> ModuleOp:
    """A verified module from its text."""
    module = Parser(_context(), text, name).parse_module()
    module.verify()
    return module


def sample(name: str) -> ModuleOp:
    """A program of `programs/`."""
    return parse((PROGRAMS / f"{name}.mlir").read_text(encoding="utf-8"), f"{name}.mlir")


def changed(name: str, old: str, new: str = "") -> ModuleOp:
    """A program of `programs/` with a piece of its text replaced, which must occur."""
    text = (PROGRAMS / f"{name}.mlir").read_text(encoding="utf-8")
    assert old in text, old
    return parse(text.replace(old, new), f"{name}.mlir")


def program(streams: str, tensors: str = "", target: str = "trn1") -> ModuleOp:
    """A program of one core from the text of its streams and of its tensors, written `x: memref<4xf32>; …`."""
    return cores((streams,), tensors, target)


def cores(streams: Sequence[str], tensors: str = "", target: str = "trn1") -> ModuleOp:
    """A program of several cores."""
    declared = [t.split(":", 1) for t in tensors.split(";") if t.strip()]
    lines = [f'neuron.isa.tensor "{name.strip()}" : {kind}' for name, kind in declared]
    lines += [f"neuron.isa.core {index} {{\n{text}\n}}" for index, text in enumerate(streams)]
    body = "\n".join(lines)
    return parse(
        f'builtin.module attributes {{neuron.target = "{target}"}} {{\nneuron.isa.program @test {{\n{body}\n}}\n}}'
    )


def bits(array: Array) -> Array:
    """The bit patterns, for comparisons that tell NaN payloads and signs of zero apart."""
    return array.view(f"u{array.dtype.itemsize}")


# Single instructions.


def _copy(space: Space, partitions: int = 128) -> Access:
    return Access(space, U8, ((1, WIDTH),), 0, partitions, Expr(0))


def _image(tensor: str) -> Access:
    return Access(Space.HBM, U8, ((WIDTH, 128), (1, WIDTH)), address=Expr(0), tensor=tensor)


def single(
    name: str,
    engine: Engine,
    operands: Mapping[str, Access | float | None],
    fields: Mapping[str, Any],
    sbuf: Array,
    psum: Array,
    target: str = "trn1",
    prelude: tuple[tuple[str, Mapping[str, Access | float | None], Mapping[str, Any]], ...] = (),
) -> RunResult:
    """Runs one instruction (after those of `prelude`, on the same engine) on images of SBUF and PSUM, uint8
    [128, WIDTH] each, which are left as the instruction leaves them: the same bits with events and without.

    Sync loads the images, Vector moves PSUM's through SBUF in both directions.
    """
    behind = {"dst": Access(Space.SBUF, U8, ((1, WIDTH),), 0, 128, Expr(WIDTH)), "src": _copy(Space.PSUM)}
    last = 2 + len(prelude)
    tested = [
        instruction_op(n, dict(o), dict(f), Wait(Expr(1), Expr(1 + i)), Update(Expr(1), 1))
        for i, (n, o, f) in enumerate([*prelude, (name, operands, fields)])
    ]
    begin = instruction_op(
        "tensor_copy",
        {"dst": behind["src"], "src": behind["dst"]},
        {},
        Wait(Expr(0), Expr(32)),
        Update(Expr(1), 1),
    )
    end = instruction_op("tensor_copy", {**behind}, {}, Wait(Expr(1), Expr(last)), Update(Expr(2), 1))
    loads = [
        instruction_op("dma_copy", {"dst": dst, "src": _image(name)}, {"queue": 0}, update=Update(Expr(0), 16))
        for dst, name in ((_copy(Space.SBUF), "sbuf"), (behind["dst"], "psum"))
    ]
    stores = [
        instruction_op(
            "dma_copy", {"dst": _image(name), "src": src}, {"queue": 0}, Wait(Expr(2), Expr(1)), Update(Expr(3), 16)
        )
        for src, name in ((_copy(Space.SBUF), "sbuf"), (behind["dst"], "psum"))
    ]
    bodies: dict[Engine, list[Any]] = {Engine.SYNC: [*loads, *stores], Engine.VECTOR: [begin]}
    bodies.setdefault(engine, []).extend(tested)
    bodies[Engine.VECTOR].append(end)
    kind = MemRefType(U8, [128, WIDTH])
    streams = [StreamOp(e, ops) for e, ops in bodies.items()]
    whole = ProgramOp("single", [TensorOp("sbuf", kind), TensorOp("psum", kind), CoreOp(0, streams)])
    module = ModuleOp([whole], {"neuron.target": StringAttr(target)})
    module.verify()
    executable, again = Executable(module), [sbuf.copy(), psum.copy()]
    result = executable.run([sbuf, psum])
    executable.run(again)
    np.testing.assert_array_equal(again, [sbuf, psum])
    return result


def places(access: Access) -> Array:
    """The byte address, within its partition, of each element of an access: int64 [N]."""
    assert access.address is not None
    offsets = np.zeros(1, np.int64)
    for step, count in access.dims:
        offsets = (offsets[:, None] + step * np.arange(count)).reshape(-1)
    return access.address.const + offsets * access.itemsize


def gather(access: Access, sbuf: Array, psum: Array) -> Array:
    """The elements of an access in an image: [P, N] of its NumPy type."""
    image = sbuf if access.space is Space.SBUF else psum
    rows = image[access.start : access.start + access.partitions]
    taken = rows[:, places(access)[:, None] + np.arange(access.itemsize)]
    return np.ascontiguousarray(taken).view(NUMPY[dtype(access.element_type).name])[..., 0]


def scatter(access: Access, values: Array, sbuf: Array, psum: Array) -> None:
    """Writes [P, N] elements, already of the access's NumPy type, into an image."""
    image = sbuf if access.space is Space.SBUF else psum
    rows = image[access.start : access.start + access.partitions]
    raw = np.ascontiguousarray(values).view(np.uint8).reshape(*values.shape, access.itemsize)
    rows[:, places(access)[:, None] + np.arange(access.itemsize)] = raw


def widen(values: Array) -> Array:
    return values.astype(np.float32)


def narrow(values: Array, type_: Attribute) -> Array:
    """fp32 (or bool) values as stored, by the documented rules, written out element by element where they matter."""
    name = dtype(type_).name
    values = values.astype(np.float32)
    if name == "tfloat32":
        kept = values.astype(np.float64)
        mantissa, exponent = np.frexp(kept)
        mantissa, exponent = np.where(exponent < -125, np.ldexp(kept, 125), mantissa), np.maximum(exponent, -125)
        with np.errstate(all="ignore"):
            rounded = np.ldexp(np.rint(mantissa * 2.0**11), exponent - 11)
        return np.where(np.isfinite(values), rounded, values).astype(np.float32)
    kind = NUMPY[name]
    if name.startswith(("float", "bfloat")):
        return values.astype(kind)
    limits = np.iinfo(kind)
    exact = [0 if v != v else max(limits.min, min(limits.max, _even(v))) for v in values.reshape(-1).tolist()]
    return np.array(exact, kind).reshape(values.shape)


def _even(value: float) -> int:
    return round(value) if abs(value) < 1e30 else int(np.sign(value)) * 10**30
