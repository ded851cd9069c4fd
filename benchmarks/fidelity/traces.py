"""Small convolutions of three students (2025, trn2), whose repositories have raw traces and the compiled programs with
their descriptors: the kernels, and what their instructions and transfers cost.

chenhzhu/asst4-trainium2 fecd8c8, riya-ranjan/cs149-pa4 9d1e8c9, chengli2003/asst4-trainium2 a57e57b; 3 x 3 windows of
[256, 32, 16] or [256, 224, 224] with 256 filters. All transfers have static descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, cycle

from engine_builder import Kernel, View
from fidelity.convolution import CHANNELS, TAPS
from fidelity.matmul import drain
from fidelity.measure import Figures, Profile, profile
from fidelity.single import pace, products, spans
from fidelity.streams import moved, span_us

FP32, FP16 = "float32", "float16"
HEIGHT, WIDTH = 32, 16
ROWS, COLUMNS = HEIGHT - 2, WIDTH - 2
IMAGE = HEIGHT * WIDTH
FILTER = CHANNELS * TAPS
BYTES = {FP32: 4, FP16: 2}


def rotating(k: Kernel, columns: int, kind: str, number: int, space: str = "sbuf") -> Iterator[View]:
    """Buffers that are taken in turn, in PSUM a bank each."""
    make = k.psum if space == "psum" else k.sbuf
    width = columns if space == "sbuf" else 2048 // BYTES[kind]
    return cycle([make(width, kind).cols(0, columns) for _ in range(number)])


def pooled(k: Kernel, data: View, rows: int, columns: int, kind: str) -> View:
    """The largest of 2 x 2, one direction after the other."""
    half, out = k.sbuf(rows // 2 * columns, kind), k.sbuf(rows // 2 * columns // 2, kind)
    pairs = data.at(0, (2 * columns, rows // 2), (1, columns), (columns, 2))
    k.op("tensor_reduce", op="maximum", axes=1, dst=half, data=pairs)
    pairs = half.at(0, (columns, rows // 2), (2, columns // 2), (1, 2))
    k.op("tensor_reduce", op="maximum", axes=1, dst=out, data=pairs)
    return out


def turned(k: Kernel, kind: str) -> View:
    """chenhzhu's filters: rows of all input channels, 36 tiles [128, 128] turned. ScalarE empties PSUM, of fp32 in turn
    with VectorE."""
    identity, w = k.tensor("identity", (128, 128), kind), k.tensor("w", (CHANNELS, FILTER), kind)
    k.dma(k.sbuf(128, kind), identity.box(0, 128, 0, 128))
    rows, found = [k.sbuf(FILTER, kind) for _ in range(2)], k.sbuf(4 * TAPS * 128, kind)
    acrosses = rotating(k, 128, kind, 6, "psum")
    for out, tile in enumerate(rows):
        k.dma(tile, w.box(out * 128, 128, 0, FILTER))
    for out, tile in enumerate(rows):
        for into in range(2):
            for tap in range(TAPS):
                across = next(acrosses)
                k.op("nc_transpose", "tensor", dst=across, data=tile.at(into * 128 * TAPS + tap, (TAPS, 128)))
                at = ((out * 2 + into) * TAPS + tap) * 128
                drain(k, found.cols(at, 128), across, tap if kind == FP32 else 1)
    return found


def stationary(weights: View, out: int, into: int, tap: int) -> View:
    return weights.cols(((out * 2 + into) * TAPS + tap) * 128, 128)


def biased(k: Kernel, product: View, column: View, size: int, kind: str) -> View:
    """ScalarE copies out of PSUM, VectorE adds."""
    copied, result = k.sbuf(size, kind, depth=2), k.sbuf(size, kind, depth=2)
    k.op("activation", op="copy", dst=copied, data=product)
    k.op("tensor_tensor", "vector", op="add", dst=result, data1=copied, data2=column.at(0, (0, size)))
    return result


def biases(k: Kernel, kind: str) -> View:
    tensor, found = k.tensor("bias", (CHANNELS, 1), kind), k.sbuf(2, kind)
    for out in range(2):
        k.dma(found.cols(out, 1), tensor.box(out * 128, 128, 0, 1))
    return found


def by_windows(kind: str, pool: bool) -> Profile:
    """chenhzhu: three input rows for each output row, loaded into three places, 60 transfers; then all of the image
    with 18 products for 128 filters."""
    k = Kernel("trn2")
    x, size = k.tensor("x", (CHANNELS, IMAGE), kind), ROWS * COLUMNS
    y = k.tensor("y", (CHANNELS, size // (4 if pool else 1)), kind)
    bias, weights, tiles = biases(k, kind), turned(k, kind), [k.sbuf(3 * ROWS * WIDTH, kind) for _ in range(2)]
    for row in range(ROWS):
        for into, tile in enumerate(tiles):
            place = tile.at(row * WIDTH, (ROWS * WIDTH, 3), (1, WIDTH))
            k.dma(place, x.box(into * 128, 128, row * WIDTH, 3 * WIDTH))
    products = rotating(k, size, FP32, 2, "psum")
    for out in range(2):
        product = next(products)
        for tap in range(TAPS):
            for into, tile in enumerate(tiles):
                window = tile.at(tap // 3 * ROWS * WIDTH + tap % 3, (WIDTH, ROWS), (1, COLUMNS))
                k.matmul(product, stationary(weights, out, into, tap), window, tap + into)
        result = biased(k, product, bias.cols(out, 1), size, kind)
        result = pooled(k, result, ROWS, COLUMNS, kind) if pool else result
        k.dma(y.box(out * 128, 128, 0, y.shape[1]), result, by="gpsimd")
    return profile(k)


def windows() -> Figures:
    """CV-C32: totals and, without the launch, from the first packet to the last."""
    runs = [by_windows(kind, pool) for kind in (FP16, FP32) for pool in (False, True)]
    return {
        "us": tuple(p.total for p in runs),
        "us first to last packet": tuple(span_us(moved(p)) for p in runs),
    }


def large(kind: str, pool: bool) -> float:
    """CV-C224L, ms: as CV-C224, in fp32 or pooled."""
    k = Kernel("trn2")
    x, side, size = k.tensor("x", (CHANNELS, 224 * 224), kind), 222, 444
    y, bias = k.tensor("y", (CHANNELS, side * side // (4 if pool else 1)), kind), biases(k, kind)
    weights = turned(k, kind)
    with k.loop(111) as strip:
        tiles = [k.sbuf(2 * 3 * 224, kind, depth=3) for _ in range(2)]
        for row in range(2):
            for into, tile in enumerate(tiles):
                place = tile.at(row * 224, (448, 3), (1, 224))
                k.dma(place, x.box(into * 128, 128, strip * 448 + row * 224, 672))
        for out in range(2):
            product = k.psum(size, depth=2)
            for tap in range(TAPS):
                for into, tile in enumerate(tiles):
                    window = tile.at(tap // 3 * 448 + tap % 3, (224, 2), (1, side))
                    k.matmul(product, stationary(weights, out, into, tap), window, tap + into)
            result = biased(k, product, bias.cols(out, 1), size, kind)
            result = pooled(k, result, 2, side, kind) if pool else result
            width = size // (4 if pool else 1)
            k.dma(y.box(out * 128, 128, strip * width, width), result, by="gpsimd")
    return profile(k).ms


def by_rows(kind: str) -> Profile:
    """riya-ranjan: filters of two input tiles interleaved, so that nothing of them is contiguous; one output row of 14
    columns at a time, with 18 products, a copy, an addition and a maximum of one."""
    k = Kernel("trn2")
    identity, w = k.tensor("identity", (128, 128), kind), k.tensor("w", (CHANNELS, FILTER), kind)
    k.dma(k.sbuf(128, kind), identity.box(0, 128, 0, 128))
    loaded, weights = k.sbuf(2 * FILTER, kind), k.sbuf(2 * FILTER, kind)
    for out in range(2):
        for into in range(2):
            place = loaded.at(out * FILTER + into * TAPS, (2 * TAPS, 128), (1, TAPS))
            k.dma(place, w.box(out * 128, 128, into * 128 * TAPS, 128 * TAPS))
    acrosses, products = rotating(k, 128, kind, 4, "psum"), rotating(k, COLUMNS, FP32, 4, "psum")
    results = rotating(k, COLUMNS, kind, 12)
    for out in range(2):
        for into in range(2):
            for tap in range(TAPS):
                across = next(acrosses)
                data = loaded.at(out * FILTER + into * TAPS + tap, (2 * TAPS, 128))
                k.op("nc_transpose", "tensor", dst=across, data=data)
                k.op("tensor_copy", "vector", dst=turned_slice(weights, out, into, tap), src=across)
    x, y, bias = (
        k.tensor("x", (CHANNELS, IMAGE), kind),
        k.tensor("y", (CHANNELS, ROWS * COLUMNS), kind),
        biases(k, kind),
    )
    tiles = [[k.sbuf(3 * WIDTH, kind) for _ in range(2)] for _ in range(ROWS)]
    for row, pair in enumerate(tiles):
        for into, tile in enumerate(pair):
            k.dma(tile, x.box(into * 128, 128, row * WIDTH, 3 * WIDTH))
    for out in range(2):
        for row, pair in enumerate(tiles):
            product, result = next(products), [next(results) for _ in range(3)]
            for into, tile in enumerate(pair):
                for tap in range(TAPS):
                    window = tile.at(tap // 3 * WIDTH + tap % 3, (1, COLUMNS))
                    k.matmul(product, turned_slice(weights, out, into, tap), window, tap + into * TAPS)
            k.op("tensor_copy", "vector", dst=result[0], src=product)
            column = bias.at(out, (0, COLUMNS))
            k.op("tensor_tensor", "vector", op="add", dst=result[1], data1=result[0], data2=column)
            k.op("tensor_reduce", op="maximum", axes=1, dst=result[2], data=result[1].at(0, (1, COLUMNS), (1, 1)))
            k.dma(y.box(out * 128, 128, row * COLUMNS, COLUMNS), result[2], by="gpsimd")
    return profile(k)


def turned_slice(weights: View, out: int, into: int, tap: int) -> View:
    """A filter's tile, every 18th element of a partition."""
    return weights.at(into * FILTER + out * TAPS + tap, (2 * TAPS, 128))


def row_by_row() -> Figures:
    """CV-R32, and what one of its products takes."""
    runs = [by_rows(kind) for kind in (FP16, FP32)]
    found = []
    for p in runs:
        starts = [s.start_ns for s in p.result.timeline if s.name == "multiply_moving"]
        found.append((starts[-1] - starts[90]) / (len(starts) - 91))
    return {"us first to last packet": tuple(span_us(moved(p)) for p in runs), "ns a product": tuple(found)}


def by_image(kind: str) -> Profile:
    """chengli2003, fifth version: a filter tile is copied tap by tap by VectorE, turned, and copied to its place, where
    every ninth element is a tap's. The source has one copy more, which the trace has not; in it VectorE and ScalarE
    share the last ones, and all filters are turned before the products. The whole image is loaded at once; the bias is
    added out of PSUM."""
    k = Kernel("trn2")
    identity, w = k.tensor("identity", (128, 128), kind), k.tensor("w", (CHANNELS, FILTER), kind)
    x, y = k.tensor("x", (CHANNELS, IMAGE), kind), k.tensor("y", (CHANNELS, ROWS * COLUMNS), kind)
    bias, tiles = biases(k, kind), [k.sbuf(IMAGE, kind) for _ in range(2)]
    filters = [[k.sbuf(128 * TAPS, kind) for _ in range(2)] for _ in range(2)]
    for out, pair in enumerate(filters):
        for into, (tile, image) in enumerate(zip(pair, tiles, strict=True)):
            if not out:
                k.dma(image, x.box(into * 128, 128, 0, IMAGE))
            k.dma(tile, w.box(out * 128, 128, into * 128 * TAPS, 128 * TAPS))
    k.dma(k.sbuf(128, kind), identity.box(0, 128, 0, 128))
    products, acrosses = rotating(k, ROWS * COLUMNS, FP32, 2, "psum"), rotating(k, 128, kind, 6, "psum")
    pieces, weights = rotating(k, 128, kind, 2 * TAPS), [[k.sbuf(128 * TAPS, kind) for _ in range(2)] for _ in range(2)]
    for tile, weight in zip(chain(*filters), chain(*weights), strict=True):
        cut = [next(pieces) for _ in range(TAPS)]
        for tap, piece in enumerate(cut):
            k.op("tensor_copy", "vector", dst=piece, src=tile.at(tap, (TAPS, 128)))
        for tap, piece in enumerate(cut):
            across = next(acrosses)
            k.op("nc_transpose", "tensor", dst=across, data=piece)
            drain(k, weight.at(tap, (TAPS, 128)), across, tap + 1)
    for out, pair in enumerate(weights):
        product, size, result = next(products), ROWS * COLUMNS, k.sbuf(ROWS * COLUMNS, kind)
        for into, (weight, image) in enumerate(zip(pair, tiles, strict=True)):
            for tap in range(TAPS):
                window = image.at(tap // 3 * WIDTH + tap % 3, (WIDTH, ROWS), (1, COLUMNS))
                k.matmul(product, weight.at(tap, (TAPS, 128)), window, tap + into * TAPS)
        column = bias.at(out, (0, size))
        k.op("tensor_tensor", "vector", op="add", dst=result, data1=product, data2=column)
        k.dma(y.box(out * 128, 128, 0, size), result, by="gpsimd")
    return profile(k)


def whole_image() -> Figures:
    """CV-L32."""
    return {"us first to last packet": tuple(span_us(moved(by_image(kind))) for kind in (FP16, FP32))}


def ring_ns(kind: str, count: int, source: tuple[int, ...], place: tuple[int, int, int], hbm: bool = False) -> float:
    """ns from one transfer to the next of `count` that follow each other on a ring. Of 128 rows of a tensor, `source`
    has the pitch, and the columns of a piece with their pitch; `place` how many pieces lie how far apart, and how wide
    they are."""
    k = Kernel("trn2")
    pitch, columns, step = source
    x = k.tensor("x", (128, pitch), kind)
    far, pieces, width = place
    for i in range(count):
        there = (
            x.at(i * columns * step, (pitch, 128), (step, columns)) if step > 1 else x.box(0, 128, i * columns, columns)
        )
        if hbm:
            out = k.tensor(f"y{i}", (128, columns), kind)
            k.dma(out.box(0, 128, 0, columns), there)
        else:
            k.dma(k.sbuf(far * pieces, kind).at(0, (far, pieces), (1, width)), there)
    ends = [s.end_ns for s in moved(profile(k))]
    return (ends[-1] - ends[0]) / (count - 1)


def short_rows() -> Figures:
    """DM-T2-SHORT: short rows, several pieces a row, pieces of 9 elements, and single elements within HBM."""
    rows = [ring_ns(kind, 60, (60 * 48, 48, 1), (48, 1, 48)) for kind in (FP16, FP32)]
    wide = ring_ns(FP32, 60, (60 * 128, 128, 1), (128, 1, 128))
    split = [ring_ns(kind, 60, (60 * 48, 48, 1), (480, 3, 16)) for kind in (FP16, FP32)]
    pieces = [ring_ns(kind, 4, (4 * 1152, 1152, 1), (18, 128, 9)) / 1024 for kind in (FP16, FP32)]
    single = [ring_ns(kind, 4, (4 * 1152, 128, 9), (1, 1, 1), hbm=True) / 1024 for kind in (FP16, FP32)]
    return {
        "rows": (*rows, wide),
        "three pieces": tuple(split),
        "a piece of 9": tuple(pieces),
        "within hbm": tuple(single),
    }


def stepped(engine: str, kind: str, step: int) -> tuple[float, float]:
    """Interval and duration, ns, of copies of [128, 128] out of PSUM to every `step`th element of SBUF."""
    k = Kernel("trn2")
    sources, places = [k.psum(128, kind) for _ in range(2)], [k.sbuf(128 * step, kind) for _ in range(2)]
    for i in range(6):
        dst = places[i % 2].at(0, (step, 128))
        if engine == "scalar":
            k.op("activation", op="copy", dst=dst, data=sources[i % 2])
        else:
            k.op("tensor_copy", "vector", dst=dst, src=sources[i % 2])
    found = spans(k, engine, "activation" if engine == "scalar" else "tensor_copy")
    return (found[-1].start_ns - found[1].start_ns) / (len(found) - 2), found[0].end_ns - found[0].start_ns


def drains() -> tuple[float, float]:
    """ns of VectorE's copy of 14 columns of fp32 in PSUM into fp16, and of its addition of a column to 420."""
    k = Kernel("trn2")
    products, out, column = k.psum(420), k.sbuf(420, FP16), k.sbuf(1, FP16)
    k.op("tensor_copy", "vector", dst=out.cols(0, 14), src=products.cols(0, 14))
    k.op("tensor_tensor", "vector", op="add", dst=out, data1=products, data2=column.at(0, (0, 420)))
    copy, added = spans(k, "vector")
    return copy.end_ns - copy.start_ns, added.end_ns - added.start_ns


def gathered(kind: str) -> tuple[float, float]:
    """Interval and duration, ns, of VectorE's copies of every ninth of 1152 elements, within SBUF."""
    k = Kernel("trn2")
    data, out = k.sbuf(128 * TAPS, kind), [k.sbuf(128, kind) for _ in range(2)]
    for i in range(6):
        k.op("tensor_copy", "vector", dst=out[i % 2], src=data.at(0, (TAPS, 128)))
    found = spans(k, "vector", "tensor_copy")
    return (found[-1].start_ns - found[1].start_ns) / (len(found) - 2), found[0].end_ns - found[0].start_ns


def steps() -> Figures:
    """IN-T2-STEP: what wide steps cost. Filters' tiles are written to, or read from, every 9th or 18th element. And
    fp32 products of 420 columns, once the array is warm, by half-pass."""
    return {
        "half-pass": pace(products("trn2", 420, FP32, 200), 2)[1],
        "drains": drains(),
        "vector": (*stepped("vector", FP16, 18), *stepped("vector", FP32, 18)),
        "scalar": (*stepped("scalar", FP16, 9), *stepped("scalar", FP32, 9)),
        "read": (*gathered(FP16), *gathered(FP32)),
    }


CASES = {
    "CV-C32": windows,
    "CV-C224L": lambda: {"ms": (large(FP32, False), large(FP16, True), large(FP32, True))},
    "CV-R32": row_by_row,
    "CV-L32": whole_image,
    "DM-T2-SHORT": short_rows,
    "IN-T2-STEP": steps,
}
