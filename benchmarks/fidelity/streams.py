"""Transfers and control, one kind at a time: packets of a ring, streams of loads and stores, descriptors."""

from __future__ import annotations

from engine_builder import Kernel, View
from fidelity.measure import Figures, Profile, profile
from fidelity.texts import timed

from nki_mlir.costs import transfers
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME, Instance
from nki_mlir.executor import Slice
from nki_mlir.targets import load

BYTE = by_name("uint8").type


def copy(
    target: str, rows: int, nbytes: int, store: bool = False, mode: str | None = None, pieces: int = 1
) -> Instance:
    """A transfer of `rows` partitions, `pieces` of `nbytes` of each, that lie apart in HBM."""
    inside = Access(Space.SBUF, BYTE, ((1, pieces * nbytes),), 0, rows, Expr.of(0))
    dims = ((1 << 20, rows), (1 << 14, pieces), (1, nbytes))
    outside = Access(Space.HBM, BYTE, dims, address=Expr.of(0), tensor="x")
    dst, src = (outside, inside) if store else (inside, outside)
    fields = {"queue": 0, "dge_mode": mode}
    engine = Engine.GPSIMD if mode == "swdge" else Engine.SYNC
    return Instance(BY_NAME["dma_copy"], engine, {"dst": dst, "src": src}, fields, load(target))


def packet(target: str, rows: int, nbytes: int, store: bool = False) -> float:
    """ns by which `rows` more rows on one ring make a long transfer longer."""
    more, less = (
        max(share.service for share in transfers.shares(copy(target, 8, nbytes, store, pieces=n))) for n in (3, 2)
    )
    return (more - less) * rows / 8


def packets_trn2() -> Figures:
    """DM-PKT2: the time of a packet of some rows on its ring, without what a transfer costs a ring beside."""
    return {
        "loads": tuple(packet("trn2", 4, n) * part for n, part in ((4000, 0.25), (4608, 1), (8000, 1))),
        "stores": tuple(packet("trn2", 4, n, True) * part for n, part in ((4000, 0.25), (840, 1), (8000, 1))),
        "512": packet("trn2", 4, 512) / 4,
        "8 x 512": packet("trn2", 4, 512) * 2,
    }


def burst(target: str, columns: int, pieces: int) -> Profile:
    """c = a + b of 256,000 fp32 in some pieces, loads by SyncE and stores by GpSimdE, all loads triggered at once."""
    k = Kernel(target)
    a, b, c = (k.tensor(n, (128, 2000)) for n in "abc")
    loaded: list[tuple[View, View]] = []
    for i in range(pieces):
        x, y = k.sbuf(columns), k.sbuf(columns)
        k.dma(x, a.box(0, 128, i * columns, columns))
        k.dma(y, b.box(0, 128, i * columns, columns))
        loaded.append((x, y))
    for i, (x, y) in enumerate(loaded):
        out = k.sbuf(columns)
        k.op("tensor_tensor", "vector", op="add", dst=out, data1=x, data2=y)
        k.dma(c.box(0, 128, i * columns, columns), out, by="gpsimd")
    return profile(k)


def span_us(found: list[Slice]) -> float:
    return (max(s.end_ns for s in found) - min(s.start_ns for s in found)) / 1000


def moved(p: Profile, by: str = "dma") -> list[Slice]:
    return [s for s in p.result.timeline if s.unit.startswith(by)]


def packets_trn1() -> Figures:
    """DM-PKT1: packets of four rows of 4000 and 8000 bytes, and all loads of the addition."""
    loads = [span_us(moved(burst("trn1", n, 2000 // n), "dma sync")) for n in (1000, 2000)]
    return {
        "loads": tuple(packet("trn1", 4, n) for n in (4000, 8000)),
        "stores": tuple(packet("trn1", 4, n, True) for n in (4000, 8000)),
        "us of loads": tuple(loads),
    }


def additions(columns: int) -> Figures:
    """DM-VA1K-T2, DM-VA2K-T2."""
    p = burst("trn2", columns, 2000 // columns)
    return {
        "us": p.total,
        "us first to last packet": span_us(moved(p)),
        "over the other": span_us(moved(p)) / span_us(moved(burst("trn2", 3000 - columns, 2000 // (3000 - columns)))),
    }


def halves(target: str) -> Figures:
    """DM-PIPE1, DM-PIPE2: total of the addition in one and in two pieces."""
    whole, split = (burst(target, n, 2000 // n).total for n in (2000, 1000))
    return {"us F=2000": whole, "us F=1000": split, "F=2000 / F=1000": whole / split}


def rate(target: str, row: int, store: bool = False, mode: str | None = None, count: int = 64) -> float:
    """GB/s of transfers of 128 rows that follow each other, once they do."""
    k = Kernel(target, dge=mode is not None)
    x = k.tensor("x", (count * 128, row // 4))
    tile = k.sbuf(row // 4, depth=1 if store else 4)
    if store:
        k.op("memset", "vector", dst=tile, value=0.0)
    with k.loop(count) as i:
        there = x.box(i * 128, 128, 0, row // 4)
        k.dma(*(there, tile) if store else (k.sbuf(row // 4, depth=4), there))
    found = moved(profile(k))
    middle = len(found) // 2
    return 128 * row * (len(found) - 1 - middle) / (found[-1].end_ns - found[middle].end_ns)


def consumed(square: bool) -> tuple[float, float]:
    """DM-PN-RD: GB/s, and ns of VectorE, of bf16 tiles [128, 2048] that are loaded and summed along their rows, or
    squared and summed in one instruction of two inputs."""
    k, count = Kernel("trn1"), 64
    x, totals = k.tensor("x", (count * 128, 2048), "bfloat16"), k.sbuf(1)
    k.op("memset", "vector", dst=totals, value=0.0)
    with k.loop(count) as i:
        tile, total = k.sbuf(2048, "bfloat16", depth=4), k.sbuf(1, depth=2)
        k.dma(tile, x.box(i * 128, 128, 0, 2048))
        if square:
            wide = k.sbuf(2048, depth=2)
            k.op("tensor_tensor", "vector", op="multiply", dst=wide, data1=tile, data2=tile)
            k.op("tensor_tensor", "vector", op="add", dst=totals, data1=totals, data2=wide.cols(0, 1))
        else:
            k.op("tensor_reduce", op="add", axes=1, dst=total, data=tile)
            k.op("tensor_tensor", "vector", op="add", dst=totals, data1=totals, data2=total)
    p = profile(k)
    return 128 * 4096 * count / p.us / 1000, p.active_us["vector"] * 1000 / count


def reads() -> Figures:
    plain, square = consumed(False), consumed(True)
    return {
        "GB/s": tuple(rate("trn1", row) for row in (1024, 4096, 32768)),
        "heavier GB/s": square[0],
        "VectorE ns": (plain[1], square[1]),
    }


def writes() -> Figures:
    return {"GB/s": tuple(rate("trn1", row, True) for row in (4096, 16384, 1024))}


def occupancy(mode: str, rows: int, nbytes: int, target: str = "trn2", pieces: int = 1) -> float:
    """ns from one transfer to the next on the engine that triggers them."""
    made = transfers.generation(copy(target, rows, nbytes, mode=mode, pieces=pieces))
    return made.prepare + (made.trigger if mode == "swdge" else 0.0)


def latency(nbytes: int, mode: str, store: bool = False, chained: bool = False) -> float:
    """ns from the issue of a transfer of 128 rows to what waits for it; `chained`, of what follows a store."""
    k = Kernel("trn2", dge=mode == "hwdge")
    x, tile = k.tensor("x", (128, nbytes // 4)), k.sbuf(nbytes // 4)
    there, by = x.box(0, 128, 0, nbytes // 4), "gpsimd" if mode == "swdge" else "sync"
    if store or chained:
        k.dma(there, tile, by=by)
    if not store:
        k.op("dma_copy", by, dst=tile, src=there, queue=0, dge_mode=mode)
    k.op("tensor_scalar", "vector", op0="add", dst=tile.cols(0, 1), data=tile.cols(0, 1), operand0=1.0)
    found = profile(k).result.timeline
    issue = [s for s in found if s.name == "dma_copy" and not s.unit.startswith("dma")][-1]
    consumer = next(s for s in found if s.name == "tensor_scalar")
    return consumer.start_ns - issue.start_ns


def following(mode: str) -> float:
    """ns from the start of a transfer of 128 rows to that of the next one on its engine."""
    made = transfers.generation(copy("trn2", 128, 512, mode=mode))
    return made.prepare + made.trigger


def descriptors() -> Figures:
    """DM-AK."""
    return {
        "hardware": (occupancy("hwdge", 128, 512), occupancy("hwdge", 128, 2048, pieces=2)),
        "one after the other": following("hwdge"),
        "software": occupancy("swdge", 128, 512),
        "to consumer": (latency(1536, "swdge"), latency(4096, "hwdge", True), latency(4096, "hwdge", False)),
    }


def control() -> Figures:
    """IN-CTL: the targets' figures."""
    trn2, trn3 = load("trn2").control, load("trn3").control
    return {
        "load": (trn2.register_load_hbm_ns, trn3.register_load_hbm_ns),
        "branch": trn2.branch_ns,
        "register": (trn3.register_ns,),
        "barrier": trn2.core_barrier_ns,
        "semaphore": trn2.event_semaphore_ns,
        "table": load("trn2").activation.table_load_ns,
    }


def hardware_trn3() -> Figures:
    """T3-DGE: transfers of 535 and of 3130 packets of some 750 bytes."""
    return {"ns": (occupancy("hwdge", 107, 735, "trn3", 5), occupancy("hwdge", 125, 754, "trn3", 25))}


def gathers() -> Figures:
    """DM-KI (d): per tile a gather of 128 rows of 8 KiB, a load of [128, 6400 B] at an address in a register, or both,
    by GpSimdE's descriptors; (e) 64 loads of [128, 16 KiB]; (b) an iteration of a loop at run time."""
    gather = (
        'dma_copy queue 0 dst <sbuf[0:128] at 8192 * (i0 mod 4), [1 x 8192], ui8> src <hbm "x" at 0, [8192 x 128,'
        " 1 x 8192], ui8> vector_offset <sbuf[0:128] at 65536, [1 x 1], ui32> update <sem 0 add 16>"
    )
    offset = (
        'dma_copy queue 0 dge_mode "swdge" dst <sbuf[0:128] at 8192 * (i0 mod 4), [1 x 6400], ui8> src <hbm "x" at r3,'
        " [8192 x 128, 1 x 6400], ui8> update <sem 0 add 16>"
    )
    count = 48
    found = []
    for lines in ((gather,), (offset,), (gather, offset)):
        body = "\n".join(f"neuron.isa.{line}" for line in lines)
        text = f"neuron.isa.stream gpsimd {{ neuron.isa.repeat {count} {{\n{body}\n}} }}"
        found.append(timed(text, {"x": "memref<4194304xui8>"}, "trn1").modelled_us / count)
    loop = "neuron.isa.stream vector {{ neuron.isa.{} {{ neuron.isa.tensor_copy dst {} src {} }} }}"
    tile = "<sbuf[0:128] at {}, [1 x 4], f32>"
    rolled, unrolled = (
        timed(loop.format(head, tile.format(0), tile.format(64)), {}, "trn1").modelled_us
        for head in ("loop counter 0 bound <64>", "repeat 64")
    )
    return {"us a tile": tuple(found), "GB/s": rate("trn1", 16384), "us an iteration": (rolled - unrolled) / 64}


CASES = {
    "DM-PKT2": packets_trn2,
    "DM-PKT1": packets_trn1,
    "DM-VA1K-T2": lambda: additions(1000),
    "DM-VA2K-T2": lambda: additions(2000),
    "DM-PIPE1": lambda: halves("trn1"),
    "DM-PIPE2": lambda: halves("trn2"),
    "DM-PN-RD": reads,
    "DM-PN-WR": writes,
    "DM-AK": descriptors,
    "IN-CTL": control,
    "T3-DGE": hardware_trn3,
    "DM-KI": gathers,
}
