"""Random generators and dropout: determinism, state, distribution, and XORWOW against its recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from executor.cases import ANY, FLOATS, INTEGERS, Layout, layouts, quick, seeds, types
from executor.machine_code import NUMPY, WIDTH, Array, gather, narrow, program, scatter, single, widen
from hypothesis import given
from hypothesis import strategies as st
from samples import tile

from nki_mlir.costs.instructions import work_cycles
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.instructions import BY_NAME, Instance
from nki_mlir.dialects.instructions import check as illegal
from nki_mlir.executor import execute
from nki_mlir.targets import load

VECTOR, GPSIMD = Engine.VECTOR, Engine.GPSIMD
XORWOWS = [("trn2", GPSIMD), ("trn3", GPSIMD), ("trn3", VECTOR)]
GENERATORS = [("trn1", VECTOR), ("trn2", VECTOR), *XORWOWS]
xorwows = pytest.mark.parametrize(("target", "engine"), XORWOWS)
generators = pytest.mark.parametrize(("target", "engine"), GENERATORS)

Step = tuple[str, Mapping[str, Access | float | None], Mapping[str, Any]]


def run(engine: Engine, target: str, *steps: Step, sbuf: Array | None = None) -> Array:
    """SBUF after some instructions of one engine, one after the other."""
    sbuf = np.zeros((128, WIDTH), np.uint8) if sbuf is None else sbuf
    *prelude, (name, operands, fields) = steps
    single(name, engine, operands, fields, sbuf, np.zeros_like(sbuf), target, tuple(prelude))
    return sbuf


def read(access: Access, sbuf: Array) -> Array:
    return gather(access, sbuf, np.zeros((128, WIDTH), np.uint8))


def rng(dst: Access) -> Step:
    return ("rng", {"dst": dst}, {})


def seed(at: Access) -> Step:
    return ("set_rng_seed", {"src_seeds": at}, {})


def seeded(value: int, at: Access) -> Array:
    """An image with a seed in it."""
    sbuf = np.zeros((128, WIDTH), np.uint8)
    scatter(at, np.array([[value]], np.uint32), sbuf, sbuf.copy())
    return sbuf


SEED = tile("uint32", 1, 1, address=2040)
WORDS = [tile("uint32", 128, 64, address=256 * k) for k in range(4)]


# XORWOW.


def xorwow(state: list[int], count: int) -> tuple[list[int], list[int]]:
    """Marsaglia's recurrence on Python's integers: the words, and the state after them."""
    x, y, z, w, v, d = state
    words = []
    for _ in range(count):
        t = x ^ x >> 2
        x, y, z, w = y, z, w, v
        v = (v ^ v << 4 ^ (t ^ t << 1)) % 2**32
        d = (d + 362437) % 2**32
        words.append((d + v) % 2**32)
    return words, [x, y, z, w, v, d]


def streams(engine: Engine) -> int:
    return 4 if engine is VECTOR else 1


def state_tile(engine: Engine, partitions: int = 128, start: int = 0, address: int = 1536) -> Access:
    return tile("uint32", partitions, 6 * streams(engine), address=address, start=start)


def random_state(engine: Engine, at: Access, seed: int) -> tuple[Array, Array]:
    """An image with a state in it, and the state."""
    sbuf = np.zeros((128, WIDTH), np.uint8)
    state = np.random.default_rng(seed).integers(0, 2**32, (at.partitions, at.free_elements), np.uint32)
    scatter(at, state, sbuf, sbuf.copy())
    return sbuf, state


def drawn(state: Array, engine: Engine, count: int) -> tuple[Array, Array]:
    """The words of each partition, taken from its streams in turn, and the states after them."""
    each, turns = streams(engine), -(-count // streams(engine))
    words, after = np.zeros((len(state), turns, each), np.uint32), state.reshape(-1, each, 6).copy()
    for p, k in np.ndindex(len(state), each):
        words[p, :, k], after[p, k] = xorwow([int(word) for word in after[p, k]], turns)
    return words.reshape(len(state), -1)[:, :count], after.reshape(len(state), -1)


def test_xorwow_of_the_paper() -> None:
    """From the state of the paper's program, the words that its implementations print."""
    start = [123456789, 362436069, 521288629, 88675123, 5783321, 6615241]
    known = [246875399, 3690007200, 1264581005, 3906711041, 1866187943, 2481925219, 2464530826, 1604040631]
    assert xorwow(start, 8)[0] == known
    at, dst = state_tile(GPSIMD, 1), tile("uint32", 1, 8)
    sbuf = np.zeros((128, WIDTH), np.uint8)
    scatter(at, np.array([start], np.uint32), sbuf, sbuf.copy())
    assert (
        read(dst, run(GPSIMD, "trn2", ("rand_set_state", {"src_seeds": at}, {}), rng(dst), sbuf=sbuf))[0].tolist()
        == known
    )


@xorwows
@quick
@given(
    st.sampled_from([1, 16, 40, 100, 128]), st.sampled_from([1, 3, 4, 31]), st.sampled_from(INTEGERS), st.booleans(),
    seeds,
)  # fmt: skip
def test_xorwow(target: str, engine: Engine, partitions: int, count: int, kind: str, high: bool, seed: int) -> None:
    """The low bits of the words, and the state that is left."""
    start = 64 if high and partitions <= 64 else 0
    at = state_tile(engine, partitions, start)
    sbuf, state = random_state(engine, at, seed)
    dst = tile(kind, partitions, count, start=start)
    after = state_tile(engine, partitions, start, address=1024)
    run(engine, target, ("rand_set_state", {"src_seeds": at}, {}), rng(dst),
        ("rand_get_state", {"dst": after}, {}), sbuf=sbuf)  # fmt: skip
    words, left = drawn(state, engine, count)
    np.testing.assert_array_equal(read(dst, sbuf), words.astype(f"u{dst.itemsize}").view(NUMPY[kind]))
    np.testing.assert_array_equal(read(after, sbuf), left)


@xorwows
def test_a_state_that_is_saved_gives_the_same_numbers_again(target: str, engine: Engine) -> None:
    saved = state_tile(engine)
    sbuf = run(
        engine,
        target,
        rng(WORDS[0]),
        ("rand_get_state", {"dst": saved}, {}),
        rng(WORDS[1]),
        ("rand_set_state", {"src_seeds": saved}, {}),
        rng(WORDS[2]),
        rng(WORDS[3]),
    )
    first, second, again, next_ = (read(words, sbuf) for words in WORDS)
    np.testing.assert_array_equal(second, again)
    assert not (first == second).any(axis=1).all() and not (again == next_).any(axis=1).all()


@xorwows
def test_a_state_belongs_to_its_partition(target: str, engine: Engine) -> None:
    """Setting and drawing on some partitions leaves the others where they were."""
    low, high = (tile("uint32", 64, 64, address=256 * k, start=64 * k) for k in range(2))
    both = WORDS[2]
    plain = read(both, run(engine, target, rng(both)))
    sbuf, state = random_state(engine, at := state_tile(engine, 64, 0), 5)
    steps = [("rand_set_state", {"src_seeds": at}, {}), rng(low), rng(high), rng(both)]
    run(engine, target, *steps, sbuf=sbuf)
    words, _ = drawn(state, engine, 128)
    np.testing.assert_array_equal(read(low, sbuf), words[:, :64])
    np.testing.assert_array_equal(read(high, sbuf), plain[64:])
    np.testing.assert_array_equal(read(both, sbuf)[:64], words[:, 64:])


# All generators.


@generators
def test_draws_follow_each_other(target: str, engine: Engine) -> None:
    """Two instructions draw what one of twice the size would, and two runs are the same."""
    pair = run(engine, target, rng(WORDS[0]), rng(WORDS[1]))
    one = tile("uint32", 128, 128)
    both = read(one, run(engine, target, rng(one)))
    np.testing.assert_array_equal(np.hstack([read(WORDS[0], pair), read(WORDS[1], pair)]), both)


@generators
def test_words_are_uniform(target: str, engine: Engine) -> None:
    """64,000 words: every bit is set half of the time, alone and with its neighbours in the word, the partition and the
    draw; five standard deviations are 0.01."""
    dst = tile("uint32", 128, 500)
    words = read(dst, run(engine, target, rng(dst)))
    bits = np.unpackbits(words.view(np.uint8), bitorder="little").reshape(*words.shape, 32)
    np.testing.assert_allclose(bits.mean(axis=(0, 1)), 0.5, atol=0.011)
    for axis in range(3):
        a, b = (np.take(bits, range(k, bits.shape[axis] - 1 + k), axis) for k in range(2))
        np.testing.assert_allclose((a == b).mean(), 0.5, atol=0.005)
    counts = np.bincount(words.reshape(-1) >> 24, minlength=256)
    assert ((counts - 250) ** 2 / 250).sum() < 350
    assert len(np.unique(words)) > 63_900


@pytest.mark.parametrize("target", ["trn1", "trn2", "trn3"])
@pytest.mark.parametrize("kind", ["int32", "uint32", "float32"])
def test_set_rng_seed(target: str, kind: str) -> None:
    """The 32 bits of the seed decide all that follows, whatever was drawn before."""
    at = tile(kind, 1, 1, address=SEED.address.const if SEED.address else 0)
    images = [
        run(VECTOR, target, seed(at), rng(WORDS[0]), sbuf=seeded(7, SEED)),
        run(VECTOR, target, rng(WORDS[1]), seed(at), rng(WORDS[0]), sbuf=seeded(7, SEED)),
        run(VECTOR, target, seed(at), rng(WORDS[0]), sbuf=seeded(8, SEED)),
        run(VECTOR, target, rng(WORDS[0])),
    ]
    same, again, other, unseeded = (read(WORDS[0], sbuf) for sbuf in images)
    np.testing.assert_array_equal(same, again)
    assert (same != other).mean() > 0.99 and (same != unseeded).mean() > 0.99


@pytest.mark.parametrize("target", ["trn2", "trn3"])
def test_engines_have_generators_of_their_own(target: str) -> None:
    """GpSimd's draws are the same with and without Vector's and its seed."""
    streams = """
    neuron.isa.stream gpsimd {
      neuron.isa.rng dst <sbuf[0:128] at 0, [1 x 8], ui32> update <sem 0 add 1>
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [8 x 128, 1 x 8], ui32> src <sbuf[0:128] at 0, [1 x 8], ui32>
        wait <sem 0 reaches 1>
    }"""
    vector = """
    neuron.isa.stream vector {
      neuron.isa.memset value 9 dst <sbuf[0:1] at 64, [1 x 1], ui32> update <sem 1 add 1>
      neuron.isa.set_rng_seed src_seeds <sbuf[0:1] at 64, [1 x 1], ui32> wait <sem 1 reaches 1>
      neuron.isa.rng dst <sbuf[0:128] at 96, [1 x 8], ui32>
    }"""
    found = []
    for text in (streams, streams + vector):
        for timing in (None, 1, 2):
            y = np.zeros((128, 8), np.uint32)
            execute(program(text, "y: memref<128x8xui32>", target), [y], seed=timing)
            found.append(y)
    assert all((y == found[0]).all() for y in found)


@pytest.mark.parametrize("timing", range(6))
def test_one_engine_draws_in_order_of_issue(timing: int) -> None:
    """No semaphore stands between the two."""
    streams = """
    neuron.isa.stream vector {
      neuron.isa.rng dst <sbuf[0:128] at 0, [1 x 8], ui32> update <sem 0 add 1>
      neuron.isa.rng dst <sbuf[0:128] at 32, [1 x 8], ui32> update <sem 0 add 1>
    }
    neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [16 x 128, 1 x 16], ui32> src <sbuf[0:128] at 0, [1 x 16], ui32>
        wait <sem 0 reaches 2>
    }"""
    y = np.zeros((128, 16), np.uint32)
    execute(program(streams, "y: memref<128x16xui32>"), [y], seed=timing)
    dst = tile("uint32", 128, 16)
    np.testing.assert_array_equal(y, read(dst, run(VECTOR, "trn1", rng(dst))))


# Draws from an interval, and dropout.


def units(words: Array) -> Array:
    """The 24 high bits as fp32 numbers of [0, 1)."""
    return (words // 256).astype(np.float32) / np.float32(2**24)


@quick
@given(st.data(), layouts(), types, st.booleans(), st.booleans(), seeds)
def test_rand2(data: st.DataObject, at: Layout, kind: str, column: bool, wide: bool, seed: int) -> None:
    """The words that rng draws after the same seed, placed between min and max."""
    scale = 1e4 if wide else 2.0
    generator = np.random.default_rng(seed)
    low = (generator.standard_normal((at.partitions, 1)) * scale).astype(np.float32)
    high = low + (generator.random((at.partitions, 1)) * scale + 1e-3).astype(np.float32)
    dst = at.place(kind, at.counts, at.partitions, True)
    bounds = (at.column("float32"), at.column("float32"))
    constants = [float(low[0, 0]), float(high[0, 0])]
    sbuf = seeded(seed, SEED)
    for access, values in zip(bounds, (low, high), strict=True):
        scatter(access, values, sbuf, sbuf.copy())
    operands = dict(zip(("min", "max"), bounds if column else constants, strict=True))
    run(VECTOR, "trn3", ("set_rng_seed", {"src_seeds": SEED}, {}), ("rand2", {"dst": dst, **operands}, {}), sbuf=sbuf)
    plain = tile("uint32", at.partitions, at.free, start=dst.start)
    words = read(plain, run(VECTOR, "trn3", ("set_rng_seed", {"src_seeds": SEED}, {}), rng(plain),
                            sbuf=seeded(seed, SEED)))  # fmt: skip
    least, most = (low, high) if column else np.array(constants, np.float32)
    wanted = narrow(least + units(words) * (most - least), dst.element_type)
    np.testing.assert_array_equal(widen(read(dst, sbuf)), widen(wanted))


def test_rand2_fills_its_interval() -> None:
    dst = tile("float32", 128, 400)
    values = read(dst, run(VECTOR, "trn3", ("rand2", {"dst": dst, "min": -3.0, "max": 5.0}, {})))
    assert values.min() >= -3 and values.max() <= 5
    assert abs(values.mean() - 1) < 0.05 and abs(values.var() - 64 / 12) < 0.1
    counts, _ = np.histogram(values, 16, (-3, 5))
    assert (abs(counts - 3200) < 300).all()


@quick
@given(st.data(), layouts(), st.sampled_from(ANY), st.booleans(), st.sampled_from(["trn1", "trn2", "trn3"]), seeds)
def test_dropout(data: st.DataObject, at: Layout, kind: str, column: bool, target: str, seed: int) -> None:
    """Zero where the word that rng draws after the same seed is below the threshold, the data's bits elsewhere."""
    to = data.draw(st.sampled_from(ANY)) if kind in FLOATS else kind
    prob_type = data.draw(st.sampled_from(FLOATS)) if kind in FLOATS else "float32"
    operands: dict[str, Access | float] = {"dst": at.full(to, True), "data": at.full(kind)}
    dst, source = operands["dst"], operands["data"]
    assert isinstance(dst, Access) and isinstance(source, Access)
    generator, sbuf = np.random.default_rng(seed), seeded(seed, SEED)
    prob = generator.random((at.partitions, 1)).astype(np.float32)
    prob[::3] = generator.choice([0.0, 1.0, 2.0, np.nan, -1.0], prob[::3].shape)
    if column:
        prob = narrow(prob, by_name(prob_type).type)
        operands["prob"] = place = at.column(prob_type)
        scatter(place, prob, sbuf, sbuf.copy())
    else:
        prob = prob[:1]
        operands["prob"] = float(prob[0, 0])
    values = generator.standard_normal((at.partitions, at.free)) * 100
    with np.errstate(all="ignore"):
        scatter(source, narrow(values, source.element_type), sbuf, sbuf.copy())
    before = read(source, sbuf)
    run(VECTOR, target, ("set_rng_seed", {"src_seeds": SEED}, {}), ("dropout", operands, {}), sbuf=sbuf)
    plain = tile("uint32", at.partitions, at.free, start=dst.start)
    words = read(plain, run(VECTOR, target, ("set_rng_seed", {"src_seeds": SEED}, {}), rng(plain),
                            sbuf=seeded(seed, SEED)))  # fmt: skip
    with np.errstate(all="ignore"):
        kept = before if to == kind else narrow(widen(before), dst.element_type)
        wanted = np.where(units(words) < widen(prob), np.zeros((), kept.dtype), kept)
    np.testing.assert_array_equal(widen(read(dst, sbuf)), widen(wanted))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("target", ["trn1", "trn3"])
def test_dropout_drops_at_its_rate_and_does_not_scale(rate: float, target: str) -> None:
    data, dst = tile("float32", 128, 200), tile("float32", 128, 200, address=1024)
    sbuf = np.zeros((128, WIDTH), np.uint8)
    scatter(data, np.ones((128, 200), np.float32), sbuf, sbuf.copy())
    run(VECTOR, target, ("dropout", {"dst": dst, "data": data, "prob": rate}, {}), sbuf=sbuf)
    got = read(dst, sbuf)
    assert set(np.unique(got)) == {0.0, 1.0}
    assert abs((got == 0).mean() - rate) < 0.02


# Cost and legality.


def instance(name: str, engine: Engine, operands: Mapping[str, Access | float], target: str) -> Instance:
    return Instance(BY_NAME[name], engine, operands, {}, load(target))


COSTS: list[tuple[str, Engine, Mapping[str, Access | float], float]] = [
    ("rng", VECTOR, {"dst": tile("uint32", 128, 400)}, 400),
    ("rng", GPSIMD, {"dst": tile("uint8", 128, 400)}, 400),
    ("rand2", VECTOR, {"dst": tile("float32", 128, 400), "min": 0.0, "max": 1.0}, 100),
    ("dropout", VECTOR, {"dst": tile("float32", 128, 400), "data": tile("float32", 128, 400), "prob": 0.5}, 400),
    ("rand_set_state", VECTOR, {"src_seeds": tile("uint32", 128, 24)}, 24),
    ("rand_get_state", GPSIMD, {"dst": tile("uint32", 128, 6)}, 6),
    ("set_rng_seed", VECTOR, {"src_seeds": tile("uint32", 1, 1)}, 1),
]


@pytest.mark.parametrize(("name", "engine", "operands", "cycles"), COSTS)
def test_costs(name: str, engine: Engine, operands: Mapping[str, Access | float], cycles: float) -> None:
    found = instance(name, engine, operands, "trn3")
    assert illegal(found) is None
    assert work_cycles(found) == cycles


F, W = tile("float32", 128, 8), tile("int16", 128, 8)
COLUMN = tile("float32", 128, 1)
ILLEGAL: list[tuple[str, Engine, Mapping[str, Access | float], str, str]] = [
    ("rng", VECTOR, {"dst": F}, "trn1", "dst must be one of int16, int32, int8, uint16, uint32, uint8, not float32"),
    ("rng", GPSIMD, {"dst": W}, "trn1", "rng on gpsimd needs NeuronCore-v3; trn1 is v2"),
    ("rng", GPSIMD, {"dst": tile("int16", 128, 8, space=Space.PSUM)}, "trn2",
     "gpsimd cannot access PSUM, where dst is"),
    ("rng", Engine.SCALAR, {"dst": W}, "trn3", "rng runs on vector, gpsimd, not on scalar"),
    ("rand2", VECTOR, {"dst": F, "min": 0.0, "max": 1.0}, "trn2", "rand2 needs NeuronCore-v4; trn2 is v3"),
    ("rand2", VECTOR, {"dst": F, "min": 1.0, "max": 1.0}, "trn3", "min must be less than max, got 1.0 and 1.0"),
    ("rand2", VECTOR, {"dst": F, "min": tile("bfloat16", 128, 1), "max": 1.0}, "trn3",
     "min must be one of float32, not bfloat16"),
    ("dropout", VECTOR, {"dst": tile("int32", 128, 8), "data": W, "prob": 0.5}, "trn1",
     "dst must have the type of data where that is an integer"),
    ("dropout", VECTOR, {"dst": W, "data": W, "prob": tile("bfloat16", 128, 1)}, "trn1",
     "prob must be float32 where data is an integer"),
    ("dropout", VECTOR, {"dst": F, "data": F, "prob": F}, "trn1",
     "prob must have one element per partition, not 8"),
    ("rand_set_state", GPSIMD, {"src_seeds": tile("uint32", 128, 6)}, "trn1",
     "rand_set_state on gpsimd needs NeuronCore-v3; trn1 is v2"),
    ("rand_set_state", VECTOR, {"src_seeds": tile("uint32", 128, 24)}, "trn2",
     "rand_set_state on vector needs NeuronCore-v4; trn2 is v3"),
    ("rand_set_state", VECTOR, {"src_seeds": tile("uint32", 128, 24, space=Space.PSUM)}, "trn3",
     "src_seeds must be in sbuf, not in psum"),
    ("rand_set_state", VECTOR, {"src_seeds": tile("uint32", 128, 6)}, "trn3",
     "the state of vector has 24 words per partition; src_seeds has 6"),
    ("rand_set_state", GPSIMD, {"src_seeds": tile("int32", 128, 6)}, "trn3",
     "src_seeds must be one of uint32, not int32"),
    ("rand_get_state", GPSIMD, {"dst": tile("uint32", 128, 24)}, "trn3",
     "the state of gpsimd has 6 words per partition; dst has 24"),
    ("rand_get_state", VECTOR, {"dst": tile("uint32", 128, 24)}, "trn2",
     "rand_get_state on vector needs NeuronCore-v4; trn2 is v3"),
    ("set_rng_seed", VECTOR, {"src_seeds": COLUMN}, "trn1", "the seed is one element; src_seeds has 128"),
    ("set_rng_seed", VECTOR, {"src_seeds": tile("int16", 1, 1)}, "trn1",
     "src_seeds must be one of float32, int32, uint32, not int16"),
]  # fmt: skip


@pytest.mark.parametrize("case", ILLEGAL, ids=lambda case: f"{case[0]}: {case[-1]}")
def test_what_is_illegal(case: tuple[str, Engine, Mapping[str, Access | float], str, str]) -> None:
    name, engine, operands, target, reason = case
    assert illegal(instance(name, engine, operands, target)) == reason
