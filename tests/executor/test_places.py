"""Bytes that two accesses of a memory may have in common, against a set of each."""

from __future__ import annotations

import numpy as np
from executor.machine_code import program
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.executor import Executable, execute
from nki_mlir.executor.sums import Dims, Place

_DIMS = st.lists(st.tuples(st.integers(-6, 6), st.integers(1, 5)), min_size=1, max_size=3).map(tuple)
_ITEMS = st.sampled_from([1, 2, 4])


def bytes_of(low: int, dims: Dims, item: int) -> set[int]:
    """From an address on, to which the first element is relative."""
    places = {0}
    for step, count in dims:
        places = {place + step * n for place in places for n in range(count)}
    return {low + place * item + n for place in places for n in range(item)}


@given(dims=st.tuples(_DIMS, _DIMS), items=st.tuples(_ITEMS, _ITEMS), apart=st.integers(-80, 80))
def test_places_meet_where_they_share_bytes(dims: tuple[Dims, Dims], items: tuple[int, int], apart: int) -> None:
    touched = [bytes_of(at, some, item) for at, some, item in zip((0, apart), dims, items, strict=True)]
    one, other = (
        Place(0, 8, min(found), max(found) + 1, some, item)
        for found, some, item in zip(touched, dims, items, strict=True)
    )
    assert one.meets(other) == bool(touched[0] & touched[1])
    assert not one.meets(other._replace(first=8, last=16))
    whole = Place(4, 5, one.low, one.high)
    assert one.meets(whole) and whole.meets(one)


def test_what_lies_between_the_elements_of_a_sum_does_not_part_it() -> None:
    """A sum of two products is one product, whenever something writes to bytes between its own: launches, and runs of
    events, give the same bytes."""
    text = """
neuron.isa.stream sync {{
  neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 512], f32> src <hbm "a" at 0, [512 x 128, 1 x 512], f32>
    update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [128 x 128, 1 x 128], f32> src <sbuf[0:128] at 4096, [1 x 128], f32>
    wait <sem 3 reaches 1> update <sem 4 add 16>
}}
neuron.isa.stream tensor {{
  neuron.isa.event_semaphore wait <sem 0 reaches 16> update <sem 1 add 1>
  neuron.isa.repeat 2 {{
    neuron.isa.load_stationary stationary <sbuf[0:128] at 512 * i0, [1 x 128], f32>
    neuron.isa.multiply_moving accumulate <i0> dst <psum[0:128] at 0, [2 x 128], f32>
      moving <sbuf[0:128] at 1024 + 512 * i0, [1 x 128], f32> update <sem 2 add 1>
  }}
}}
neuron.isa.stream vector {{
  neuron.isa.event_semaphore wait <sem 1 reaches 1>
  neuron.isa.repeat {} {{ neuron.isa.event_semaphore update <sem 9 add 1> }}
  neuron.isa.memset value 0.0 : f32 dst <psum[0:128] at 4, [2 x 16], f32>
  neuron.isa.tensor_copy dst <sbuf[0:128] at 4096, [1 x 128], f32> src <psum[0:128] at 0, [2 x 128], f32>
    wait <sem 2 reaches 2> update <sem 3 add 1>
}}"""
    a = np.random.default_rng(1).standard_normal((128, 512)).astype(np.float32)
    wanted: np.ndarray | None = None
    for delay in (1, 10, 20, 30, 40):
        module = program(text.format(delay), "a: memref<128x512xf32>; y: memref<128x128xf32>")
        executable, found = Executable(module), list[np.ndarray]()
        for seed in (None, 0, 1):
            found.append(np.zeros((128, 128), np.float32))
            execute(module, [a.copy(), found[-1]], seed=seed)
        for _ in range(2):
            found.append(np.zeros((128, 128), np.float32))
            executable.run([a.copy(), found[-1]])
        wanted = found[0] if wanted is None else wanted
        for y in found:
            np.testing.assert_array_equal(y, wanted)
