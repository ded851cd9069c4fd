"""nki-run: every level gives NumPy's result, files come out whole, and each mistake is one clear error."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from nki_mlir.dialects import LEVELS
from nki_mlir.parsing import parse
from nki_mlir.passes.levels import level_of
from nki_mlir.passes.pipelines import build, run
from nki_mlir.passes.stages import STAGES
from nki_mlir.tools.nki_run import main

ADD = """\
builtin.module attributes {neuron.target = "trn1"} {
  func.func @add(%x: memref<3000xf32>, %y: memref<3000xf32>, %out: memref<3000xf32>)
      attributes {tile.arg_names = ["x", "y", "out"]} {
    tile.programs (%pid) in [3] {
      %a = tile.read %x(%pid) [1024 * s0 + d0 in * to 3000 by 1] : memref<3000xf32> -> tensor<1024xf32>
      %b = tile.read %y(%pid) [1024 * s0 + d0 in * to 3000 by 1] : memref<3000xf32> -> tensor<1024xf32>
      %sum = arith.addf %a, %b : tensor<1024xf32>
      tile.write %sum to %out(%pid) [1024 * s0 + d0 in * to 3000 by 1] : tensor<1024xf32> -> memref<3000xf32>
    }
    func.return
  }
}
"""

SCALE = """\
func.func @scale(%x: memref<4x6xELEMENT>, %out: memref<4x6xELEMENT>, %copy: memref<4x6xELEMENT>)
    attributes {tile.arg_names = ["x", "out", "copy"]} {
  tile.programs (%p0) in [1] {
    %a = tile.read %x [d0 by 6, d1 by 1] : memref<4x6xELEMENT> -> tensor<4x6xELEMENT>
    %twice = arith.addf %a, %a : tensor<4x6xELEMENT>
    tile.write %twice to %out [d0 by 6, d1 by 1] : tensor<4x6xELEMENT> -> memref<4x6xELEMENT>
    tile.write %a to %copy [d0 by 6, d1 by 1] : tensor<4x6xELEMENT> -> memref<4x6xELEMENT>
  }
  func.return
}
"""

DEADLOCK = """\
neuron.isa.program @stuck {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      neuron.isa.event_semaphore wait <sem 3 reaches 1>
    }
  }
}
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def nki_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs nki-run on a text, as the file t.mlir of an empty folder."""
    monkeypatch.chdir(tmp_path)

    def nki_run(text: str, *args: str) -> Done:
        Path("t.mlir").write_text(text, encoding="utf-8")
        code = main(["t.mlir", *args])
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return nki_run


def saved(name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    np.save(name, array)
    return array


def random(*shape: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def at_level(text: str, level: str) -> str:
    """The module lowered to a level."""
    stages = list(STAGES)[: {"tile": 0, "neuron.mem": 2, "neuron.engine": 3, "neuron.isa": 4}[level]]
    module = parse(text)
    run(build(stages), module)
    assert level_of(module) == level
    return str(module)


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_runs(nki_run: Run, level: str) -> None:
    x, y = saved("x.npy", random(3000)), saved("y.npy", random(3000, seed=1))
    done = nki_run(at_level(ADD, level), "x.npy", "y.npy", "--out", "out.npy", "--seed", "7")
    assert (done.code, done.err) == (0, "")
    np.testing.assert_array_equal(np.load("out.npy"), x + y)


def test_the_end_of_the_engine_level_is_run_where_it_is_missing(nki_run: Run) -> None:
    module = parse(ADD)
    run(build("tile,tile-to-mem,select-instructions"), module)
    assert level_of(module) == "neuron.engine"
    x, y = saved("x.npy", random(3000)), saved("y.npy", random(3000, seed=1))
    assert nki_run(str(module), "x.npy", "y.npy", "--out", "out.npy").code == 0
    np.testing.assert_array_equal(np.load("out.npy"), x + y)


def test_the_summary_has_a_line_for_each_engine(nki_run: Run) -> None:
    saved("x.npy", random(3000))
    lines = nki_run(ADD, "x.npy", "x.npy", "--out", "out.npy").out.splitlines()
    assert lines[0].startswith("modelled ") and " us" in lines[0]
    assert {line.split()[0] for line in lines[1:]} >= {"vector", "sync", "dma"}


@pytest.mark.parametrize(
    ("element", "dtype"),
    [("f32", np.float32), ("bf16", ml_dtypes.bfloat16), ("f16", np.float16), ("f8E5M2", ml_dtypes.float8_e5m2)],
)
def test_element_types(nki_run: Run, element: str, dtype: Any) -> None:
    """NumPy keeps extension types as bytes without a name; they are read, and written, as such."""
    x = random(4, 6, dtype=dtype)
    size = x.itemsize
    saved("x.npy", x if element in ("f32", "f16") else x.view(f"V{size}"))
    done = nki_run(SCALE.replace("ELEMENT", element), "x.npy", "--out", "out.npy", "--out", "copy.npy")
    assert (done.code, done.err) == (0, "")
    out, copy = (np.load(name).view(dtype) for name in ("out.npy", "copy.npy"))
    np.testing.assert_array_equal(copy.view(f"u{size}"), x.view(f"u{size}"))
    np.testing.assert_array_equal(out.view(f"u{size}"), (x.astype(np.float32) * 2).astype(dtype).view(f"u{size}"))


@pytest.mark.parametrize("layout", ["fortran", "big-endian"])
def test_layouts(nki_run: Run, layout: str) -> None:
    x = random(4, 6)
    np.save("x.npy", np.asfortranarray(x) if layout == "fortran" else x.astype(">f4"))
    assert nki_run(SCALE.replace("ELEMENT", "f32"), "x.npy", "--out", "out.npy", "--out", "copy.npy").code == 0
    np.testing.assert_array_equal(np.load("copy.npy"), x)


def test_arrays_may_be_given_for_all_tensors(nki_run: Run) -> None:
    saved("x.npy", random(3000))
    before = saved("out.npy", np.full(3000, 7, np.float32))
    assert nki_run(ADD, "x.npy", "x.npy", "out.npy").code == 0
    np.testing.assert_array_equal(np.load("out.npy"), before)


def test_trace_and_profile(nki_run: Run) -> None:
    """The trace's structure has its own test; here that it is of this run, with the lines of the text."""
    saved("x.npy", random(3000))
    done = nki_run(ADD, "x.npy", "x.npy", "--out", "out.npy", "--trace", "t.json", "--profile")
    assert done.code == 0 and "waited" in done.out and "HBM: 24 kB read, 12 kB written" in done.out
    events = json.loads(Path("t.json").read_text())["traceEvents"]
    adds = [e for e in events if e["ph"] == "X" and e["name"] == "tensor_tensor"]
    assert adds and all(e["args"]["source"].endswith("t.mlir:7") for e in adds)


def test_random_inputs(nki_run: Run) -> None:
    """What has neither a file nor an --out; the same for the same seed."""
    x = saved("x.npy", random(3000))
    found = []
    for seed in ("3", "3", "4"):
        assert nki_run(ADD, "x.npy", "--out", "out.npy", "--random", seed).code == 0
        found.append(np.load("out.npy") - x)
    np.testing.assert_array_equal(found[0], found[1])
    assert 0.9 < found[0].std() < 1.1 and (found[0] != found[2]).any()
    done = nki_run(ADD, "x.npy", "x.npy", "x.npy", "--out", "out.npy", "--random", "1")
    assert done.err == f"error: the program has 3 tensors {TENSORS}; 3 .npy files and 1 --out make 4\n"


def test_standard_input(
    nki_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    x = saved("x.npy", random(3000))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ADD.encode())))
    assert main(["-", "x.npy", "x.npy", "--out", "out.npy"]) == 0
    np.testing.assert_array_equal(np.load("out.npy"), x + x)


def test_chip(nki_run: Run) -> None:
    saved("x.npy", random(4, 6))
    text = SCALE.replace("ELEMENT", "f32")
    args = ("x.npy", "--out", "out.npy", "--out", "copy.npy")
    assert nki_run(text, *args, "--chip", "trn2").code == 0
    assert (
        nki_run(text, *args, "--chip", "trn9").err
        == "error: there is no target 'trn9'; there are trn1, trn2, trn3, inf2\n"
    )
    module = f'builtin.module attributes {{neuron.target = "trn1"}} {{\n{text}}}'
    expected = "error: the module is for trn1; it can't be compiled for trn2\n"
    assert nki_run(module, *args, "--chip", "trn2").err == expected


# Mistakes.

TENSORS = "(x: 3000 float32, y: 3000 float32, out: 3000 float32)"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], f"the program has 3 tensors {TENSORS}; no .npy files and no --outs make 0"),
        (["x.npy"], f"the program has 3 tensors {TENSORS}; 1 .npy file and no --outs make 1"),
        (["x.npy", "--out", "o"], f"the program has 3 tensors {TENSORS}; 1 .npy file and 1 --out make 2"),
        (["x.npy"] * 4, f"the program has 3 tensors {TENSORS}; 4 .npy files and no --outs make 4"),
        (["x.npy", "half.npy", "--out", "o"], "tensor 'y': expected 3000 float32, but half.npy holds 3000 float16"),
        (["x.npy", "short.npy", "--out", "o"], "tensor 'y': expected 3000 float32, but short.npy holds 2999 float32"),
        (
            ["square.npy", "x.npy", "--out", "o"],
            "tensor 'x': expected 3000 float32, but square.npy holds 50x60 float32",
        ),
        (["missing.npy", "x.npy", "--out", "o"], "missing.npy: No such file or directory"),
        ([".", "x.npy", "--out", "o"], ".: Is a directory"),
        (["empty.npy", "x.npy", "--out", "o"], "empty.npy: not a .npy file that can be read: "),
        (["text.npy", "x.npy", "--out", "o"], "text.npy: not a .npy file that can be read: "),
        (["cut.npy", "x.npy", "--out", "o"], "cut.npy: not a .npy file that can be read: "),
        (["huge.npy", "x.npy", "--out", "o"], "huge.npy: not a .npy file that can be read: "),
        (["several.npz", "x.npy", "--out", "o"], "several.npz: not a .npy file that can be read: "),
        (["pickled.npy", "x.npy", "--out", "o"], "pickled.npy: not a .npy file that can be read: Object arrays cannot"),
        (["x.npy", "x.npy", "--out", "no/such/file"], "can't write no/such/file: no/such is not there"),
        (["x.npy", "x.npy", "--out", "o", "--trace", "no/t.json"], "can't write no/t.json: no is not there"),
        (["x.npy", "x.npy", "--out", "."], "can't write .: it is a folder"),
        (["x.npy", "x.npy", "--out", "x.npy/o"], "can't write x.npy/o: x.npy is no folder"),
        (["x.npy", "--out", "o", "--out", "./o"], "two results would be written to o; give each a file of its own"),
        (["x.npy", "x.npy", "--out", "o", "--trace", "o"], "two results would be written to o; give each a file"),
        (["record.npy", "x.npy", "--out", "o"], "tensor 'x': expected 3000 float32, but record.npy holds 3000 void64"),
    ],
)
def test_arrays_that_do_not_fit(nki_run: Run, args: list[str], message: str) -> None:
    x = saved("x.npy", random(3000))
    saved("half.npy", x.astype(np.float16))
    saved("short.npy", x[1:])
    saved("square.npy", x.reshape(50, 60))
    saved("pickled.npy", np.array([{}, None], object))
    saved("record.npy", np.zeros(3000, "i4,f4"))
    np.savez("several.npz", x=x)
    Path("empty.npy").write_bytes(b"")
    Path("text.npy").write_text("1 2 3")
    whole = Path("x.npy").read_bytes()
    Path("cut.npy").write_bytes(whole[:-5])
    Path("huge.npy").write_bytes(whole.replace(b"(3000,), }        ", b"(3000000000000000,), }"[:18].ljust(18)))
    before = sorted(path.name for path in Path().iterdir())
    done = nki_run(ADD, *args)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {message}") and done.err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir() if path.name != "t.mlir") == before


def test_bits_of_bf16(nki_run: Run) -> None:
    x = random(4, 6, dtype=ml_dtypes.bfloat16)
    saved("x.npy", x.view(np.uint16))
    done = nki_run(SCALE.replace("ELEMENT", "bf16"), "x.npy", "--out", "out.npy", "--out", "copy.npy")
    assert done.err == (
        "error: tensor 'x': expected 4x6 bfloat16, but x.npy holds 4x6 uint16;"
        " if they are the bits of bfloat16, save array.view('V2')\n"
    )


def test_results_are_written_only_if_all_went_well(nki_run: Run) -> None:
    saved("x.npy", random(4, 6))
    Path("out.npy").write_text("as it was")
    text = SCALE.replace("ELEMENT", "f32")
    assert nki_run(text, "x.npy", "--out", "out.npy", "--out", "no/copy.npy").code == 1
    assert Path("out.npy").read_text() == "as it was"
    assert sorted(path.name for path in Path().iterdir()) == ["out.npy", "t.mlir", "x.npy"]


def test_an_output_may_be_an_input(nki_run: Run) -> None:
    x = saved("x.npy", random(4, 6))
    assert nki_run(SCALE.replace("ELEMENT", "f32"), "x.npy", "--out", "x.npy", "--out", "copy.npy").code == 0
    np.testing.assert_array_equal(np.load("x.npy"), 2 * x)


def test_outputs_are_checked_before_the_run(nki_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_now(*args: object, **options: object) -> None:
        raise AssertionError("executed")

    monkeypatch.setattr("nki_mlir.executor.run.execute", not_now)
    saved("x.npy", random(3000))
    done = nki_run(ADD, "x.npy", "x.npy", "--out", "no/such/file")
    assert done.err == "error: can't write no/such/file: no/such is not there\n"


def test_a_failing_write_names_the_file(nki_run: Run) -> None:
    saved("x.npy", random(4, 6))
    done = nki_run(SCALE.replace("ELEMENT", "f32"), "x.npy", "--out", "/dev/full", "--out", "copy.npy")
    assert done.code == 1 and not Path("copy.npy").exists()
    assert done.err.startswith("error: /dev/full: ") and done.err.count("\n") == 1


def test_tensors_beyond_the_memory_of_the_machine(nki_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nki_mlir.tools.npy._memory_bytes", lambda: 2**30)
    text = f"""\
    neuron.isa.program @large {{
      neuron.isa.tensor "x" : memref<{2**34}xf32>
    }}
    """
    done = nki_run(text, "--random", "0")
    expected = "error: the program's tensors take 64.0 GiB, but this machine's memory is 1.0 GiB\n"
    assert (done.code, done.err) == (1, expected)


def test_a_device_is_written_in_place(nki_run: Run) -> None:
    saved("x.npy", random(4, 6))
    args = ("x.npy", "--out", "/dev/null", "--out", "/dev/null")
    assert nki_run(SCALE.replace("ELEMENT", "f32"), *args).code == 0
    assert Path("/dev/null").is_char_device()


TWO = """\
neuron.isa.program @one { neuron.isa.tensor "x" : memref<8xf32> }
neuron.isa.program @two { neuron.isa.tensor "x" : memref<8xf32> }
"""
MIXED = """\
func.func @f(%x: memref<8xf32>) {
  %p = tile.base %x : memref<8xf32> -> !tile.ptr<f32>
  %a = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 128 x 4>
  func.return
}
"""
WRONG_TYPE = SCALE.replace("ELEMENT", "f32").replace("tensor<4x6xf32>", "tensor<4x7xf32>", 1)
TOO_LARGE = SCALE.replace("ELEMENT", "f32").replace("4x6", "4x6000000").replace("[6, 1]", "[6000000, 1]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "error: the module holds no kernel\n"),
        (TWO, "error: the module holds 2 kernels (one, two); a run takes one\n"),
        ("func.func @f(", "t.mlir:1:14: error: "),
        ("foo.bar", "t.mlir:1:1: error: Operation foo.bar is not registered\n  foo.bar\n  ^\n"),
        (MIXED, "t.mlir:2:3: error: tile.base is not an operation of neuron.engine\n"),
        (WRONG_TYPE, "t.mlir:5:25: error: "),
        (TOO_LARGE, "t.mlir:4:5: error: "),
        ('"test.op"() : () -> ()', "t.mlir:1:1: error: test.op is not an operation of tile\n"),
        ('"test.op"() {a = "' + "x" * 60, "t.mlir:1:18: error: End of file reached"),
    ],
)
def test_modules_that_cannot_run(nki_run: Run, text: str, message: str) -> None:
    done = nki_run(text)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(message)
    assert "Traceback" not in done.err and "internal" not in done.err


def test_files_that_cannot_be_read(nki_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("binary.mlir").write_bytes(b"\xff\xfe")
    expected = {
        "missing.mlir": "error: missing.mlir: No such file or directory\n",
        ".": "error: .: Is a directory\n",
        "binary.mlir": "error: binary.mlir: not UTF-8 text: invalid start byte at 0\n",
    }
    for name, message in expected.items():
        assert main([name]) == 1
        assert capsys.readouterr().err == message


def test_an_execution_error(nki_run: Run) -> None:
    saved("x.npy", random(8))
    done = nki_run(DEADLOCK, "x.npy", "--trace", "t.json")
    assert done.code == 1
    assert done.err.startswith("error: ") and "t.mlir:5" in done.err and "semaphore 3" in done.err
    assert "Traceback" not in done.err and "internal" not in done.err
    assert not Path("t.json").exists()


def test_checks_can_be_switched_off(nki_run: Run) -> None:
    text = """\
    neuron.isa.program @reads_before_writing {
      neuron.isa.tensor "x" : memref<128x1xf32>
      neuron.isa.core 0 {
        neuron.isa.stream sync {
          neuron.isa.dma_copy queue 0 dst <hbm "x" at 0, [1 x 128], f32> src <sbuf[0:128] at 0, [1 x 1], f32>
        }
      }
    }
    """
    assert nki_run(text, "--out", "x.npy").code == 1
    assert not Path("x.npy").exists()
    assert nki_run(text, "--out", "x.npy", "--no-check").code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--no-such-flag"], "unrecognized arguments"),
        (["--random", "-1"], "argument --random: a seed is an integer of at least 0, got -1"),
        (["--random", "1.5"], "argument --random: a seed is an integer of at least 0, got 1.5"),
        (["--seed", "-7"], "argument --seed: a seed is an integer of at least 0, got -7"),
        (["--seed", "x"], "argument --seed: a seed is an integer of at least 0, got x"),
    ],
)
def test_usage_errors_are_argparse_errors(
    nki_run: Run, args: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        nki_run(ADD, *args)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_python_file_is_not_taken_for_mlir(nki_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("kernel.py").write_text("import numpy\n")
    assert main(["kernel.py"]) == 1
    assert capsys.readouterr().err.startswith("error: kernel.py is Python; this tool takes MLIR text. Run the script")


LEFT_OUT = """\
func.func @left_out(%x: memref<8xf32>, %out: memref<8xf32>) {
  tile.programs (%p0) in [1] {
    %a = tile.read %x [d0 in 0 to 5 by 1] : memref<8xf32> -> tensor<8xf32>
    tile.write %a to %out [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  }
  func.return
}
"""


def test_strict_checks_report_lanes_that_have_no_value(nki_run: Run) -> None:
    assert nki_run(LEFT_OUT, "--random", "0").code == 0
    done = nki_run(LEFT_OUT, "--random", "0", "--strict")
    assert done.code == 1 and "lanes that the load at" in done.err and "has no `other`" in done.err
