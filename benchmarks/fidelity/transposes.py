"""Transposes, and what single instructions cost."""

from __future__ import annotations

from engine_builder import Kernel
from fidelity.matmul import drain
from fidelity.measure import Figures, Profile, profile


def blocked() -> Figures:
    """TR-CS149: 4096 x 4096 fp32, 512 rows and 512 columns at a time. Four PE transposes share a PSUM bank and a copy;
    128 rows of the result leave in one transfer."""
    k = Kernel("trn2")
    x, y = (k.tensor(n, (4096, 4096)) for n in "xy")
    with k.loop(8) as group:
        out = [k.sbuf(4096) for _ in range(4)]
        with k.loop(8) as part:
            strips = k.sbuf(4 * 512, depth=2)
            for i in range(4):
                k.dma(strips.cols(i * 512, 512), x.box(part * 512 + i * 128, 128, group * 512, 512))
            for column, strip in enumerate(out):
                across = k.psum(512, depth=2)
                for i in range(4):
                    k.op(
                        "nc_transpose",
                        "tensor",
                        dst=across.cols(i * 128, 128),
                        data=strips.cols(i * 512 + column * 128, 128),
                    )
                drain(k, strip.cols(part * 512, 512), across, column)
        for column, strip in enumerate(out):
            k.dma(y.box(group * 512 + column * 128, 128, 0, 4096), strip, by="gpsimd")
    return {"us": profile(k).total}


def chain(engine: str, size: int, count: int = 64) -> Profile:
    """Transposes of fp32 tiles, back to back."""
    k = Kernel("trn2")
    data = k.sbuf(size, partitions=size)
    make = k.psum if engine == "tensor" else k.sbuf
    out = [make(size, partitions=size) for _ in range(4)]
    with k.loop(count // 4):
        for tile in out:
            k.op("nc_transpose", engine, dst=tile, data=data)
    return profile(k)


def engines() -> Figures:
    """TR-KDA: a tile [128, 128] is one transpose on the PE, and 16 of [32, 32] on VectorE."""
    pe, vector = (chain(engine, size).us / 64 for engine, size in (("tensor", 128), ("vector", 32)))
    return {"us PE": pe, "VectorE / PE": 16 * vector / pe}


def dependent() -> Figures:
    """IN-ACT: activations of one element per partition, each on the one before."""
    k, count = Kernel("trn1"), 200
    tile, scale, bias = (k.sbuf(1) for _ in range(3))
    with k.loop(count):
        k.op("activation", op="copy", dst=tile, data=tile, scale=scale, bias=bias)
    starts = [s.start_ns for s in profile(k).result.timeline if s.name == "activation"]
    return {"ns": (starts[-1] - starts[1]) / (count - 2)}


CASES = {"TR-CS149": blocked, "TR-KDA": engines, "IN-ACT": dependent}
