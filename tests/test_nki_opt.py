"""nki-opt's flags and its messages. The passes are made up here; what the real ones do is tested in filecheck/."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Attribute
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from nki_mlir.errors import CompileError
from nki_mlir.passes import all_passes, pipelines
from nki_mlir.tools import nki_opt
from nki_mlir.tools.nki_opt import main

ADD = """\
func.func @f(%a: i32) -> i32 {
  %0 = arith.constant 1 : i32
  %1 = arith.addi %a, %0 : i32
  func.return %1 : i32
}
"""

INVALID = """\
func.func @ok() { func.return }
// -----
func.func @bad() {
  %0 = arith.constant 1 : i32
  %1 = "arith.addi"(%0, %0) : (i32, i32) -> i64
  func.return
}
"""


@dataclass(frozen=True)
class Rename(ModulePass):
    """Gives the module a name, so that a test sees which passes ran."""

    name = "test-rename"
    to: str = "x"
    times: int = 1
    loud: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        from xdsl.dialects.builtin import StringAttr

        op.attributes["ran"] = StringAttr(self.to * self.times)


class Reject(ModulePass):
    name = "test-reject"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if inner.name == "arith.addi":
                inner.emit_error("no additions here", PassFailedException("no additions here"))


class RejectKernelLine(ModulePass):
    name = "test-reject-kernel-line"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise CompileError("too wide", "kernel.py", 7, 3)


class BreakTypes(ModulePass):
    name = "test-break-types"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if inner.name == "arith.addi":
                Rewriter.replace_value_with_new_type(inner.results[0], f32)


class BreakOrder(ModulePass):
    name = "test-break-order"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            if inner.name == "arith.constant":
                block, follower = inner.parent, inner.next_op
                assert block is not None and follower is not None
                inner.detach()
                block.insert_op_after(inner, follower)


class Crash(ModulePass):
    name = "test-crash"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise KeyError("lost")


PASSES: list[type[ModulePass]] = [Rename, Reject, RejectKernelLine, BreakTypes, BreakOrder, Crash]
PIPELINES = {
    "lower-to-isa": "test-rename{to=isa},tidy",
    "tidy": "cse,dce",
}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs nki-opt on a text; the file is called `t.mlir` in messages."""
    known = {name: get for name, get in all_passes().items() if name in ("canonicalize", "cse", "dce")}
    known |= {cls.name: lambda cls=cls: cls for cls in PASSES}
    monkeypatch.setattr(nki_opt, "all_passes", lambda: known)
    monkeypatch.setattr(pipelines, "NAMED", PIPELINES)
    monkeypatch.chdir(tmp_path)

    def run(text: str, *args: str) -> Done:
        Path("t.mlir").write_text(text, encoding="utf-8")
        code = main(["t.mlir", *args])
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return run


def test_round_trip(run: Run) -> None:
    done = run(ADD)
    assert (done.code, done.err) == (0, "")
    assert run(done.out).out == done.out


@pytest.mark.parametrize("text", ["", "\n", "// only a comment\n"])
def test_empty_input_is_an_empty_module(run: Run, text: str) -> None:
    assert run(text).out.split() == ["builtin.module", "{", "}"]


@pytest.mark.parametrize("args", [[], ["-"], ["-o", "-"]])
def test_standard_input(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"builtin.module {\n  foo.bar\n}")))
    assert main(args) == 1
    assert capsys.readouterr().err == "stdin:2:3: error: Operation foo.bar is not registered\n    foo.bar\n    ^\n"


def test_output_file_may_be_the_input(run: Run) -> None:
    assert run(ADD, "-o", "t.mlir", "-p", "test-rename").out == ""
    assert 'attributes {ran = "x"}' in Path("t.mlir").read_text()


def test_output_file_is_left_alone_on_failure(run: Run) -> None:
    assert run(ADD, "-o", "t.mlir", "-p", "test-reject").code == 1
    assert Path("t.mlir").read_text() == ADD


def test_passes_and_pipelines(run: Run) -> None:
    done = run(ADD, "-p", "tidy,test-rename{to=ab times=2},tidy", "--print-ir-after-all")
    assert 'ran = "abab"' in done.out
    headers = [line for line in done.err.splitlines() if line.startswith("// -----//")]
    specs = ["cse", "dce", 'test-rename{to="ab" times=2}', "cse", "dce"]
    assert headers == [f"// -----// IR after {spec} //----- //" for spec in specs]


def test_print_ir_after_all_honours_the_printing_flags(run: Run) -> None:
    text = 'builtin.module {\n  "test.op"() : () -> () loc("k.py":3:7)\n}'
    done = run(text, "-p", "test-rename", "--print-ir-after-all", "--print-op-generic", "--print-debuginfo")
    assert '"builtin.module"() ({' in done.err
    assert 'loc("k.py":3:7)' in done.err
    assert "builtin.module {" not in done.out


def test_lower_to_isa_goes_first_and_defaults_to_trn1(run: Run) -> None:
    done = run(ADD, "--lower-to-isa", "-p", "dce", "--print-ir-after-all")
    assert 'neuron.target = "trn1", ran = "isa"' in done.out
    assert [line.split()[4] for line in done.err.splitlines() if "IR after" in line][-1] == "dce"


def test_chip(run: Run) -> None:
    assert 'neuron.target = "trn2"' in run(ADD, "--chip", "trn2").out
    assert "neuron.target" not in run(ADD).out
    module = 'builtin.module attributes {neuron.target = "trn2"} {}'
    assert 'neuron.target = "trn2"' in run(module, "--lower-to-isa").out
    assert run(module, "--chip", "trn2").code == 0


@pytest.mark.parametrize(
    ("text", "args", "message"),
    [
        (ADD, ["--chip", "trn9"], "error: there is no target 'trn9'; there are trn1, trn2, trn3, inf2\n"),
        (
            'builtin.module attributes {neuron.target = "trn2"} {}',
            ["--chip", "trn1"],
            "error: the module is for trn2; it can't be compiled for trn1\n",
        ),
        (
            'builtin.module attributes {neuron.target = "tpu"} {}',
            ["--lower-to-isa"],
            """error: the module's neuron.target is "tpu"; it must be one of trn1, trn2, trn3, inf2\n""",
        ),
        (
            "builtin.module attributes {neuron.target = 3} {}",
            ["--lower-to-isa"],
            "error: the module's neuron.target is 3 : i64; it must be one of trn1, trn2, trn3, inf2\n",
        ),
        (ADD, ["-p", "zzz"], "error: there is no pass 'zzz'; there are "),
        (ADD, ["-p", "test-rename{loud}"], "error: pass test-rename: Incompatible types: given ()"),
        (ADD, ["-p", "test-rename{nope=1}"], "error: pass test-rename: Provided arguments"),
        (ADD, ["-p", "test-rename{a"], "pass-pipeline:1:14\n"),
        (
            ADD,
            ["-p", "tidy{a=1}"],
            "error: 'tidy' is a pipeline and takes no options; give them to a pass: cse,dce\n",
        ),
        (ADD, ["-p", "lower-to-isa{target=trn2}"], "error: 'lower-to-isa' is a pipeline and takes no options; give"),
        (ADD, ["-p", ","], "pass-pipeline:1:"),
        (ADD, ["-o", "no/such/file"], "error: can't write no/such/file: no/such is not there\n"),
        (ADD, ["-o", "."], "error: can't write .: it is a folder\n"),
        (ADD, ["-o", ""], "error: can't write .: it is a folder\n"),
        (ADD, ["-o", "/dev/full"], "error: /dev/full: "),
        (ADD, ["--target", "mlir{nope=1}"], "error: --target mlir: Provided arguments"),
        (ADD, ["--target", "mlir{"], "Error parsing"),
        (ADD, ["--chip", ""], "error: there is no target ''; there are trn1, trn2, trn3, inf2\n"),
        ("%", [], "t.mlir:1:1: error: Expected suffix identifier after %\n  %\n  ^\n"),
        (f"%0 = arith.constant {2**70} : index", [], "t.mlir:1:21: error: this number has more than 64 bits\n"),
        (
            f"%0 = arith.constant {2**63} : index",
            [],
            "t.mlir:1:1: error: arith.constant: 'value' is 9223372036854775808,",
        ),
        (
            f'"test.op"() {{a = dense<{2**63}> : tensor<4xindex>}} : () -> ()',
            [],
            "a number is out of the range of its type",
        ),
        ('"test.op"() {a = array<f16: 70000.0>} : () -> ()', [], "t.mlir:1:1: error: float too large"),
        ('"test.op"() {a = ' + "[" * 2000, [], "error: the text is nested too deeply\n"),
        ('"test.op"() {a = "' + "x" * 60, [], "t.mlir:1:18: error: End of file reached before closing string literal."),
        ("func.func @f() {\n  func.return\n", [], "t.mlir:3:1: error: "),
        ("$", [], "t.mlir:1:1: error: Unexpected character: $\n  $\n  ^\n"),
    ],
)
def test_user_errors(run: Run, text: str, args: list[str], message: str) -> None:
    done = run(text, *args)
    assert done.code == 1
    assert message in done.err
    assert "Traceback" not in done.err and "internal" not in done.err


def test_an_error_is_shown_at_its_operation(run: Run) -> None:
    """Not at the next one, which the parser has come to when it makes the operation."""
    bad_tile = '"test.op"() : () -> !neuron.mem.tile<sbuf, 999xf32, [d0:111] x []>'
    done = run(f"func.func @f() {{\n  {bad_tile}\n  func.return\n}}")
    assert done.err.startswith("t.mlir:2:")
    bad_constant = f"func.func @f() {{\n  %0 = arith.constant {2**63} : index\n  func.return\n}}"
    assert run(bad_constant).err.startswith("t.mlir:2:3: error: arith.constant: 'value' is 9223372036854775808")


def test_files_that_cannot_be_read(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("binary.mlir").write_bytes(b"\xff\xfe")
    expected = {
        "missing.mlir": "error: missing.mlir: No such file or directory\n",
        ".": "error: .: Is a directory\n",
        "binary.mlir": "error: binary.mlir: not UTF-8 text: invalid start byte at 0\n",
        "kernel.py": "error: kernel.py is Python; this tool takes MLIR text. Run the script itself (python kernel.py); the"
        ' text of a kernel at any level is kernel.compile(..., grid=...).ir("tile")\n',
    }
    Path("kernel.py").write_text("import numpy\n")
    Path("empty.mlir").write_bytes(b"")
    assert main(["empty.mlir"]) == 0
    assert capsys.readouterr().out.split() == ["builtin.module", "{", "}"]
    for name, message in expected.items():
        assert main([name]) == 1
        assert capsys.readouterr().err == message


def test_usage_errors_are_argparse_errors(run: Run) -> None:
    with pytest.raises(SystemExit) as stop:
        run(ADD, "--no-such-flag")
    assert stop.value.code == 2


def test_invalid_input_is_shown_where_it_stands(run: Run) -> None:
    done = run(INVALID.partition("// -----\n")[2])
    assert done.code == 1
    assert done.err.startswith("t.mlir:3:3: error: ")
    assert '\n    %1 = "arith.addi"(%0, %0) : (i32, i32) -> i64\n    ^\n' in done.err
    assert "IR at failure" not in done.err


def test_use_before_definition_is_rejected(run: Run) -> None:
    done = run('%1 = "test.op"(%0) : (i32) -> i32\n%0 = "test.op"() : () -> i32')
    assert done.code == 1
    assert done.err.startswith("t.mlir:1:1: error: 'test.op': operand #0 is used before its definition\n")


def test_a_failing_pass(run: Run) -> None:
    done = run(ADD, "-p", "cse,test-reject")
    assert (done.code, done.out) == (1, "")
    head, _, ir = done.err.partition("// IR at failure of test-reject\n")
    assert head == "t.mlir:3:3: error: no additions here\n    %1 = arith.addi %a, %0 : i32\n    ^\n"
    assert ir.startswith("builtin.module {\n  func.func @f(") and ir.endswith("}\n}\n")


def test_a_failing_pass_that_knows_the_kernel_line(run: Run) -> None:
    done = run(ADD, "-p", "test-reject-kernel-line")
    assert done.err.startswith("kernel.py:7:3: error: too wide\n// IR at failure of test-reject-kernel-line\n")


def test_a_location_in_the_text_is_preferred(run: Run) -> None:
    text = ADD.replace("arith.addi %a, %0 : i32", 'arith.addi %a, %0 : i32 loc("kernel.py":9:5)')
    assert run(text, "-p", "test-reject").err.startswith("kernel.py:9:5: error: no additions here\n")


@pytest.mark.parametrize("name", ["test-break-types", "test-break-order"])
@pytest.mark.parametrize("flags", [[], ["--verify-diagnostics"]])
def test_a_pass_that_leaves_broken_ir(run: Run, name: str, flags: list[str]) -> None:
    done = run(ADD, "-p", f"{name},dce", *flags)
    assert (done.code, done.out) == (70, "")
    assert done.err.startswith(f"t.mlir:3:3: internal error: the result of pass {name}, at arith.addi: ")
    assert f"// IR at failure of {name}\n" in done.err


def test_a_crashing_pass(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It isn't ours, and the message says so."""
    done = run(ADD, "-p", "test-crash")
    assert done.code == 70
    assert done.err.startswith("internal error: pass test-crash: KeyError: 'lost'\nThis is a bug of ")
    assert "bug of nki-mlir" not in done.err
    assert "Traceback" not in done.err
    monkeypatch.setenv("NKI_MLIR_TRACEBACK", "1")
    assert "Traceback" in run(ADD, "-p", "test-crash").err


def test_long_ir_is_cut(run: Run) -> None:
    many = "".join(f"  %c{i} = arith.constant {i} : i32\n" for i in range(500))
    text = ADD.replace("  %0 =", f"{many}  %0 =")
    done = run(text, "-p", "test-reject")
    assert len(done.err.splitlines()) == 3 + 1 + 200 + 1
    assert done.err.endswith("// ... 307 more lines\n")
    assert len(run(text, "-p", "test-reject", "--verify-diagnostics").out.splitlines()) < 210


def test_split_input_file(run: Run) -> None:
    done = run(INVALID, "--split-input-file")
    assert done.code == 1
    assert done.out.startswith("builtin.module {\n  func.func @ok()")
    assert done.err.startswith("t.mlir:5:3: error: ")


def test_diagnostics_flags(run: Run) -> None:
    text = f"{INVALID}// -----\nfoo.bar\n"
    done = run(text, "--split-input-file", "--verify-diagnostics", "--parsing-diagnostics")
    assert (done.code, done.err) == (0, "")
    valid, invalid, unparsed = done.out.split("// -----\n")
    assert valid.startswith("builtin.module {")
    assert "to have the same type" in invalid or "does not verify" in invalid
    assert "Operation foo.bar is not registered" in unparsed


def test_disable_verify_ends_with_the_run(run: Run) -> None:
    before = Attribute.__post_init__
    assert run(ADD, "--disable-verify").code == 0
    assert Attribute.__post_init__ is before


BRANCHES = """\
"func.func"() <{{sym_name = "f", function_type = () -> ()}}> ({{
  %0 = "test.op"() : () -> i32
  "test.termop"()[^a, ^c] : () -> ()
^a:
  %1 = "test.op"(%0) : (i32) -> i32
  "test.termop"()[^a, ^b] : () -> ()
^b:
  %2 = "test.op"(%0, %1) : (i32, i32) -> i32
  "test.termop"()[^c] : () -> ()
^dead:
  "test.termop"()[^b] : () -> ()
^c:
  "test.termop"({}) : (i32) -> ()
}}) : () -> ()
"""


def test_dominance_between_blocks(run: Run) -> None:
    assert run(BRANCHES.format("%0"), "--verify-diagnostics").out.startswith("builtin.module")
    done = run(BRANCHES.format("%1"))
    assert done.err.startswith("t.mlir:13:3: error: 'test.termop': operand #0 is used before its definition\n")


def test_an_instruction_that_is_left_out_says_why(run: Run) -> None:
    done = run("neuron.isa.all_reduce")
    assert done.code == 1
    assert "neuron.isa.all_reduce is not modelled: a collective of several chips" in done.err
