"""Single instructions and streams of equal ones, timed in programs of a few lines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from engine_builder import Kernel, View
from fidelity.measure import Figures, profile

from nki_mlir.executor import Slice
from nki_mlir.targets import TARGETS

FP32, FP16, BF16, FP8 = "float32", "float16", "bfloat16", "float8_e4m3"
Emit = Callable[[int], None]
"""Emits the instruction number i of a stream."""


def spans(k: Kernel, unit: str, name: str | None = None) -> list[Slice]:
    """What a unit did, with that name."""
    return [s for s in profile(k).result.timeline if s.unit == unit and (name is None or s.name == name)]


def repeated(k: Kernel, unit: str, emit: Emit, count: int = 6, name: str | None = None) -> tuple[float, float]:
    """Interval and duration, ns, of instructions that follow each other; the first one apart, which may have to
    wait."""
    for i in range(count):
        emit(i)
    found = spans(k, unit, name)
    return (found[-1].start_ns - found[1].start_ns) / (len(found) - 2), found[-1].end_ns - found[-1].start_ns


def tiles(k: Kernel, columns: int, kind: str = FP32, space: str = "sbuf", number: int = 2) -> list[View]:
    make = k.psum if space == "psum" else k.sbuf
    return [make(columns, kind) for _ in range(number)]


def vector(target: str, op: str, columns: int, space: str = "sbuf", pointer: bool = False) -> tuple[float, float]:
    """Interval and duration of a VectorE instruction on fp32 tiles, its input in a memory."""
    k = Kernel(target)
    (data,), out, column = tiles(k, columns, FP32, space, 1), tiles(k, columns), k.sbuf(1)

    def emit(i: int) -> None:
        dst = out[i % 2]
        if op == "tensor_tensor":
            k.op(op, "vector", op="add", dst=dst, data1=data, data2=column.at(0, (0, columns)) if pointer else out[1])
        elif op == "tensor_reduce":
            k.op(op, op="maximum", axes=1, dst=dst.cols(0, 1), data=data)
        elif op == "tensor_scalar":
            k.op(op, "vector", op0="multiply", dst=dst, data=data, operand0=column if pointer else 2.0)
        elif op == "reciprocal":
            k.op(op, dst=dst, data=data)
        else:
            k.op(op, "vector", dst=dst, src=data)

    return repeated(k, "vector", emit)


def tensor_tensors(target: str) -> tuple[float, float]:
    """IN-T2-VE, IN-T1-VE: durations of additions of 1000 and 2000 columns, all in SBUF."""
    found = []
    for columns in (1000, 2000):
        k = Kernel(target)
        a, b, out = tiles(k, columns, number=3)
        k.op("tensor_tensor", "vector", op="add", dst=out, data1=a, data2=b)
        (span,) = spans(k, "vector")
        found.append(span.end_ns - span.start_ns)
    return found[0], found[1]


def dependent_vector() -> tuple[float, float]:
    """Start to start of a tiny reduction and what reads it, and of a reciprocal and what reads it."""
    found = []
    for op in ("tensor_reduce", "reciprocal"):
        k = Kernel("trn2")
        data, small, last = k.sbuf(16), k.sbuf(4), k.sbuf(4)
        if op == "reciprocal":
            k.op(op, dst=small, data=data.cols(0, 4))
        else:
            k.op(op, op="maximum", axes=1, dst=small, data=data.at(0, (4, 4), (1, 4)))
        k.op("reciprocal", dst=last, data=small)
        one, two = spans(k, "vector")
        found.append(two.start_ns - one.start_ns)
    return found[0], found[1]


def vector_trn2() -> Figures:
    """IN-T2-VEINT."""
    small = Kernel("trn2")
    data, out = small.sbuf(16), tiles(small, 4)

    def reduce(i: int) -> None:
        small.op("tensor_reduce", op="maximum", axes=1, dst=out[i % 2], data=data.at(0, (4, 4), (1, 4)))

    reduce_sbuf, reduce_psum = (vector("trn2", "tensor_reduce", 512, space) for space in ("sbuf", "psum"))
    copy, short = (vector("trn2", "tensor_copy", n, "psum") for n in (512, 128))
    scale, drained = (vector("trn2", "tensor_scalar", n, space, True) for n, space in ((512, "sbuf"), (128, "psum")))
    inverse = vector("trn2", "reciprocal", 4)
    return {
        "reduce": (reduce_sbuf[0], reduce_psum[0]),
        "reduce takes": (reduce_sbuf[1], reduce_psum[1]),
        "copy": (copy[0], copy[1], short[1]),
        "pointer sbuf": scale,
        "pointer psum": drained,
        "tiny": (repeated(small, "vector", reduce)[1], inverse[1], inverse[0]),
        "dependent": dependent_vector(),
    }


def activation(
    target: str,
    columns: int,
    op: str = "copy",
    space: str = "sbuf",
    kinds: tuple[str, str] = (FP32, FP32),
    pointer: str | None = None,
) -> tuple[float, float]:
    """Interval and duration of a ScalarE instruction, with a per-partition `pointer` as its bias or its scale."""
    k = Kernel(target)
    (data,), out = tiles(k, columns, kinds[0], space, 1), tiles(k, columns, kinds[1])
    bias, scale = (k.sbuf(1) if pointer == name else None for name in ("bias", "scale"))

    def emit(i: int) -> None:
        k.op("activation", op=op, dst=out[i % 2], data=data, bias=bias, scale=scale)

    return repeated(k, "scalar", emit, name="activation")


def scalar_trn2() -> Figures:
    """IN-T2-ACT. The 16-bit copies out of PSUM follow transposes, the others nothing."""
    short, long = (activation("trn2", n, space="psum") for n in (128, 512))
    inside, drained = (activation("trn2", 512, "exp", space, pointer="bias") for space in ("sbuf", "psum"))
    narrow = activation("trn2", 128, space="psum", kinds=(FP16, FP16))
    casts = tuple(activation("trn2", n, space="psum", kinds=(FP32, FP16))[1] for n in (420, 444))
    k = Kernel("trn2")
    tile = k.sbuf(128)
    k.op("activation", op="exp", dst=tile, data=tile)
    (table,) = spans(k, "scalar", "function_table_load")
    return {
        "copy": (short[0], long[0]),
        "copy takes": (short[1], long[1]),
        "exp": (drained[0], inside[0]),
        "exp takes": (drained[1], inside[1]),
        "16-bit": narrow[0],
        "cast takes": casts,
        "table": table.end_ns - table.start_ns,
    }


def products(target: str, columns: int, kind: str, count: int, rows: int = 128) -> list[Slice]:
    """Matmuls back to back, each with another stationary tile of `rows` columns."""
    k = Kernel(target)
    stationary, moving, out = tiles(k, rows, kind), k.sbuf(columns, kind), tiles(k, columns, space="psum", number=4)
    with k.loop(count // 4):
        for i in range(4):
            k.matmul(out[i].rows(0, rows), stationary[i % 2], moving)
    return spans(k, "tensor", "multiply_moving")


def transposes(target: str, kind: str, count: int) -> list[Slice]:
    k = Kernel(target)
    data, out = k.sbuf(128, kind), tiles(k, 128, kind, "psum", 4)
    with k.loop(count // 4):
        for i in range(4):
            k.op("nc_transpose", "tensor", dst=out[i], data=data)
    return spans(k, "tensor", "nc_transpose")


def pace(found: list[Slice], halves: int = 1) -> tuple[float, float]:
    """Start to start at the beginning and at the end of a long stream, by half-pass."""
    starts = [s.start_ns for s in found]
    return (starts[2] - starts[1]) / halves, (starts[-1] - starts[-3]) / 2 / halves


def tensor_trn2() -> Figures:
    """IN-T2-PE."""
    cold, warm = [], []
    for columns, kind, halves in ((512, BF16, 1), (128, BF16, 1), (512, FP32, 2), (128, FP32, 2), (420, FP16, 1)):
        slow, fast = pace(products("trn2", columns, kind, 200), halves)
        cold.append(slow)
        warm.append(fast)
    turns = [pace(transposes("trn2", kind, 200)) for kind in (FP32, FP16)]
    return {
        "cold": (cold[0], cold[2], cold[3], cold[4], turns[0][0], turns[1][0]),
        "warm": (*warm, turns[0][1], pace(products("trn2", 444, FP16, 200))[1]),
    }


def warm_up() -> Figures:
    """IN-T2-HAM: us of work until the first stream at full rate, and whether it is cold again after 11.7 us."""
    found = transposes("trn2", FP32, 128)
    gaps = [b.start_ns - a.start_ns for a, b in pairwise(found)]
    first = next((i for i, gap in enumerate(gaps) if gap < 0.6 * gaps[0]), 0)
    k = Kernel("trn2")
    data, out, idle = k.sbuf(128), tiles(k, 128, space="psum", number=4), k.sbuf(14_000)
    with k.loop(32):
        for tile in out:
            k.op("nc_transpose", "tensor", dst=tile, data=data)
    k.op("activation", op="copy", dst=idle.cols(0, 128), data=out[3])
    k.op("activation", op="copy", dst=idle, data=idle)
    for tile in out[:3]:
        k.op("nc_transpose", "tensor", dst=tile, data=idle.cols(0, 128))
    again = spans(k, "tensor", "nc_transpose")
    return {
        "us to full rate": (found[first].start_ns - found[0].start_ns) / 1000,
        "cold again": (again[-1].start_ns - again[-2].start_ns) / (again[-4].start_ns - again[-5].start_ns),
    }


def alignment() -> Figures:
    """IN-T2-ALIGN: 30 rows of 14 in rows of 16, from element 1 and from element 0 on."""
    found = []
    for first in (0, 1):
        k = Kernel("trn2")
        stationary, moving, out = tiles(k, 128, FP16), k.sbuf(512, FP16), tiles(k, 420, space="psum", number=4)
        with k.loop(50):
            for i in range(4):
                k.matmul(out[i], stationary[i % 2], moving.at(first, (16, 30), (1, 14)))
        found.append(pace(spans(k, "tensor", "multiply_moving"))[1])
    return {"ns": (found[1], found[0])}


def tensor_trn1() -> Figures:
    """IN-T1-PEK."""
    wide = tuple(pace(products("trn1", n, BF16, 800))[1] for n in (512, 256, 128))
    return {
        "ns": wide,
        "short": (pace(products("trn1", 16, BF16, 800))[1], pace(products("trn1", 512, BF16, 800, 16))[1]),
    }


def sustained() -> Figures:
    """IN-T1-THR: TFLOPS of a long product."""
    return {
        target: 2 * 128 * 128 * 512 / pace(products(target, 512, BF16, 800))[1] / 1000
        for target in ("trn1", "inf2")
        if target in TARGETS
    }


def scales() -> Figures:
    """IN-T1-DQ: a tile times scales, in SBUF or PSUM, by VectorE or ScalarE. Results are bf16."""

    def one(columns: int, engine: str, form: str) -> float:
        k = Kernel("trn1")
        codes, out, row = k.sbuf(columns, FP8), tiles(k, columns, BF16), k.sbuf(columns)
        column, product = k.sbuf(1), k.psum(columns)

        def emit(i: int) -> None:
            dst = out[i % 2]
            if engine == "scalar":
                k.op("activation", op="copy", dst=dst, data=codes, scale=column)
            elif form == "pointer":
                k.op("tensor_scalar", "vector", op0="multiply", dst=dst, data=codes, operand0=column)
            else:
                other = product if form == "psum" else row
                k.op("tensor_tensor", "vector", op="multiply", dst=dst, data1=codes, data2=other)

        return repeated(k, engine, emit)[0]

    return {
        "tensor_tensor sbuf": (one(512, "vector", "sbuf"), one(512, "vector", "sbuf")),
        "tensor_tensor psum": (one(512, "vector", "psum"), one(512, "vector", "psum")),
        "tensor_scalar": (one(64, "vector", "pointer"), one(128, "vector", "pointer")),
        "activation": (one(64, "scalar", ""), one(128, "scalar", "")),
    }


CASES = {
    "IN-T2-VE": lambda: {"ns": tensor_tensors("trn2")},
    "IN-T1-VE": lambda: {"ns": tensor_tensors("trn1")},
    "IN-T2-VEINT": vector_trn2,
    "IN-T2-ACT": scalar_trn2,
    "IN-T2-PE": tensor_trn2,
    "IN-T2-HAM": warm_up,
    "IN-T2-ALIGN": alignment,
    "IN-T1-PEK": tensor_trn1,
    "IN-T1-THR": sustained,
    "IN-T1-DQ": scales,
}
