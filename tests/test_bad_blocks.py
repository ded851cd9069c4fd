"""Mistakes with block pointers and tensor descriptors: each is one error with a message, the line and a caret."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from test_bad_kernels import check, imported, written

import nki_mlir

BLOCK = "p = tl.make_block_ptr(x_ptr, (8,), (1,), (0,), (8,), (0,))\n"
DESCRIPTOR = "d = tl.make_tensor_descriptor(x_ptr, [8], [1], [8])\n"

BLOCKS = {
    "block of an array": (
        "p = §tl.make_block_ptr(5, (8,), (1,), (0,), (8,), (0,))",
        "the base of a block is one pointer",
    ),
    "block of pointers": (
        "p = §tl.make_block_ptr(x_ptr + offsets, 8, 1, 0, 8, 0)",
        "the base of a block is one pointer",
    ),
    "block without a dimension": ("p = §tl.make_block_ptr(x_ptr, (), (), (), (), ())", "a block has 1 to 5 dimensions"),
    "block of 12": (
        "p = §tl.make_block_ptr(x_ptr, 8, 1, 0, 12, 0)",
        "the sizes of a block must be powers of two, got 12",
    ),
    "block of pid": ("p = §tl.make_block_ptr(x_ptr, 8, 1, 0, pid, 0)", "positive integers known at compile time"),
    "strides of a block": (
        "p = §tl.make_block_ptr(x_ptr, (8, 8), 1, (0, 0), (8, 8), (1, 0))",
        "the strides: one for each",
    ),
    "offset of a block": (
        "p = §tl.make_block_ptr(x_ptr, 8, 1, 0.5, 8, 0)",
        "the offsets: expected integers, got float",
    ),
    "offsets of a block": ("p = §tl.make_block_ptr(x_ptr, 8, 1, offsets, 8, 0)", "expected integers, got index[8]"),
    "order of a block": (
        "p = §tl.make_block_ptr(x_ptr, 8, 1, 0, 8, 1)",
        "order names each of the block's 1 dimensions",
    ),
    "order of pid": ("p = §tl.make_block_ptr(x_ptr, 8, 1, 0, 8, pid)", "order names each of the block's 1 dimensions"),
    "advance of a pointer": ("p = §tl.advance(x_ptr, (8,))", "tl.advance moves a block pointer, made by"),
    "advance of another rank": (
        f"{BLOCK}p = §tl.advance(p, (0, 8))",
        "the offsets of tl.advance: one for each of the 1",
    ),
    "advance by half": (f"{BLOCK}p = §p.advance(0.5)", "the offsets of tl.advance: expected integers, got float 0.5"),
    "check of no dimension": (f"{BLOCK}y = §tl.load(p, boundary_check=(1,))", "0 to 0, got int 1"),
    "check of a name": (f"{BLOCK}y = §tl.load(p, boundary_check='x')", "boundary_check names dimensions of the block"),
    "padding": (
        f"{BLOCK}y = §tl.load(p, padding_option='one')",
        "padding_option is 'zero', 'nan' or '', got str 'one'",
    ),
    "padding of integers": (
        "p = tl.make_block_ptr(i_ptr, 8, 1, 0, 8, 0)\ny = §tl.load(p, boundary_check=(0,), padding_option='nan')",
        "padding_option='nan' needs an array of floats, and this is of int32",
    ),
    "mask of a block": (f"{BLOCK}y = §tl.load(p, mask=mask)", "takes boundary_check and padding_option, not mask"),
    "mask of a stored block": (f"{BLOCK}§tl.store(p, x, mask=mask)", "a block pointer takes boundary_check, not mask"),
    "block plus": (f"{BLOCK}p = §p + 8", "expected a number or a tensor, got a block pointer to float32[8]"),
    "block's attribute": (f"{BLOCK}y = §p.sum(0)", "a block pointer to float32[8] has no attribute 'sum'"),
    "size of a stored block": (f"{BLOCK}§p.store(tl.zeros((4,), tl.float32))", "shapes (4,) and (8,) do not broadcast"),
    "another block in a loop": (
        f"{BLOCK}for i in range(2):\n    y = tl.load(p)\n    §p = tl.make_block_ptr(i_ptr, 8, 1, 0, 8, 0)",
        "'p' is a block pointer to float32[8] before the loop, and after an iteration a block pointer to int32[8] of "
        "another base, shape or strides",
    ),
    "two blocks by a condition": (
        f"{BLOCK}§if pid > 1:\n    p = tl.make_block_ptr(i_ptr, 8, 1, 0, 8, 0)",
        "'p' is a block pointer to int32[8] on one side of this 'if' and a block pointer to float32[8] on the other",
    ),
    "no block in a loop": (
        f"{BLOCK}for i in range(2):\n    y = tl.load(p)\n    §p = x_ptr",
        "'p' is a block pointer to float32[8] before the loop, and after an iteration pointer to float32",
    ),
    "block made in a loop": (
        f"{BLOCK}for i in range(2):\n    p = tl.make_block_ptr(x_ptr, 8, 1, i, 8, 0)\ny = tl.load(§p)",
        "'p' is made anew in the loop (line",
    ),
    "descriptor's offsets": (f"{DESCRIPTOR}y = §d.load([0, 0])", "the offsets of a block: one for each of the 1"),
    "descriptor's value": (f"{DESCRIPTOR}§d.store([0], 1.0)", "stores blocks of shape (8,), got float 1.0"),
    "descriptor's padding": ("d = §tl.make_tensor_descriptor(x_ptr, [8], [1], [8], 'one')", "padding_option is 'zero'"),
    "descriptor's attribute": (
        f"{DESCRIPTOR}y = §d.advance([8])",
        "a tensor descriptor to float32[8] has no attribute",
    ),
    "load of a descriptor": (f"{DESCRIPTOR}y = §tl.load(d)", "got a tensor descriptor to float32[8]"),
    "no descriptor": (
        "y = §tl.load_tensor_descriptor(x_ptr, [0])",
        "tl.load_tensor_descriptor needs a tensor descriptor",
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name: str, tmp_path: Path) -> None:
    body, message = BLOCKS[name]
    start = "pid = tl.program_id(0)\noffsets = tl.arange(0, 8)\nmask = offsets < 8\nx = tl.load(x_ptr + offsets)\n"
    source = "@nki_mlir.jit\ndef kernel(x_ptr, i_ptr):\n" + textwrap.indent(start + body + "\n", "    ")
    path, place = written(source, tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).kernel.trace(np.zeros(8, np.float32), np.zeros(8, np.int32), grid=(4,))
    check(raised.value, path, place, message)
