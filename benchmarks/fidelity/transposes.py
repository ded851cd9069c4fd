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


def chain(engine: str, size: int, count: int = 256) -> Profile:
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
    pe, vector = (pace(chain(engine, size)) for engine, size in (("tensor", 128), ("vector", 32)))
    return {"us PE": pe, "VectorE / PE": 16 * vector / pe}


def pace(p: Profile) -> float:
    """us from one transpose to the next, once they follow each other at full rate."""
    starts = [s.start_ns for s in p.result.timeline if s.name == "nc_transpose"]
    middle = len(starts) // 2
    return (starts[-1] - starts[middle]) / (len(starts) - 1 - middle) / 1000


def dependent() -> Figures:
    """IN-ACT: activations of one element per partition, each on the one before."""
    k, count = Kernel("trn1"), 200
    tile, scale, bias = (k.sbuf(1) for _ in range(3))
    with k.loop(count):
        k.op("activation", op="copy", dst=tile, data=tile, scale=scale, bias=bias)
    starts = [s.start_ns for s in profile(k).result.timeline if s.name == "activation"]
    return {"ns": (starts[-1] - starts[1]) / (count - 2)}


def tile_by_tile() -> Figures:
    """TR-1024-T2: 64 tiles, loaded by SyncE and stored by GpSimdE, whose first trigger comes when the loads are nearly
    done; why is not visible in the traces, so the stores here wait for the last copy but four."""
    k = Kernel("trn2")
    x, y, identity = k.tensor("x", (1024, 1024)), k.tensor("y", (1024, 1024)), k.tensor("i", (128, 128))
    k.dma(k.sbuf(128), identity.box(0, 128, 0, 128))
    kept, banks = [k.sbuf(128) for _ in range(64)], [k.psum(512).cols(0, 128) for _ in range(8)]
    places = [(m, n) for m in range(8) for n in range(8)]

    def store(i: int) -> None:
        m, n = places[i]
        k.dma(y.box(n * 128, 128, m * 128, 128), kept[i], by="gpsimd")

    for i, (m, n) in enumerate(places):
        tile, across = k.sbuf(128), banks[i % 8]
        k.dma(tile, x.box(m * 128, 128, n * 128, 128))
        k.op("nc_transpose", "tensor", dst=across, data=tile)
        drain(k, kept[i], across, 1)
    for i in (60, *(i for i in range(64) if i != 60)):
        store(i)
    p = profile(k)
    loads, stores = ([s for s in p.result.timeline if s.unit.startswith(f"dma {by}")] for by in ("sync", "gpsimd"))
    spans = [max(s.end_ns for s in found) - min(s.start_ns for s in found) for found in (loads, stores)]
    return {"us": p.total, "us of loads, stores": tuple(ns / 1000 for ns in spans)}


CASES = {"TR-CS149": blocked, "TR-KDA": engines, "IN-ACT": dependent, "TR-1024-T2": tile_by_tile}
