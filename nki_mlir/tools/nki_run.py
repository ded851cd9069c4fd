"""`nki-run`: lower MLIR text as far as it needs, run it on the model of the chip, say how long it took and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import VerifyException

from nki_mlir.errors import ExecutionError, internal_errors
from nki_mlir.op_parser import OpParser
from nki_mlir.parsing import harden_lexer
from nki_mlir.tools.diagnostics import guarded, message
from nki_mlir.tools.outputs import check_outputs, text_writer, write_files
from nki_mlir.tools.source import read_input

if TYPE_CHECKING:
    from nki_mlir.dialects.neuron_isa import ProgramOp


class NkiRun:
    """One invocation; `source` is for the message if it fails."""

    def __init__(self, argv: Sequence[str] | None = None):
        self.args = _arguments().parse_args(argv)
        self.source: OpParser | None = None

    def run(self) -> None:
        """Reads, lowers, executes, and then writes the results. Raises what `message` can explain."""
        from nki_mlir.executor import execute
        from nki_mlir.executor.perfetto import trace_text
        from nki_mlir.passes.levels import remaining_pipeline
        from nki_mlir.passes.pipelines import build, run, set_target
        from nki_mlir.tools import npy

        args = self.args
        check_outputs([*args.out, *([args.trace] if args.trace is not None else [])])
        module = self._module()
        set_target(module, args.chip)
        run(build(remaining_pipeline(module)), module)
        program = _program(module)
        arrays = npy.bind(program, args.arrays, len(args.out), args.random)
        result = execute(module, arrays, seed=args.seed, checks="strict" if args.strict else args.check)
        results = zip(args.out, arrays[len(arrays) - len(args.out) :], strict=True)
        files = [(path, npy.array_writer(array)) for path, array in results]
        if args.trace is not None:
            files.append((args.trace, text_writer(trace_text(result.profile))))
        write_files(files)
        print(result.profile.summary() if args.profile else result.summary())

    def _module(self) -> ModuleOp:
        """The verified module of the input. Operations without a location get their place in the text, for errors and
        the trace."""
        from xdsl.context import Context

        from nki_mlir.dialects import load_all
        from nki_mlir.passes.levels import level_of, verify_level
        from nki_mlir.passes.verify import verify_module

        text, name = read_input(self.args.input)
        ctx = Context()
        load_all(ctx)
        self.source = OpParser(ctx, text, name)
        module = self.source.parse_module()
        self.source.locate()
        with internal_errors("the verifier", passing=(VerifyException,)):
            verify_module(module)
            verify_level(module, level_of(module))
        return module

    def report(self, error: BaseException) -> None:
        """Says on standard error what went wrong."""
        print(message(error, self.source), file=sys.stderr)


def _seed(text: str) -> int:
    """A seed on the command line."""
    if not (text.isascii() and text.isdigit()) or len(text) > 100:
        raise argparse.ArgumentTypeError(f"a seed is an integer of at least 0, got {text}")
    return int(text)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nki-run",
        description="Runs an MLIR module of any level on the model of the NeuronCore, lowering it first if needed.",
        epilog="The .npy files are the program's tensors in order; each --out takes one of those that are left.",
    )
    parser.add_argument("input", help="The MLIR file; - for standard input")
    parser.add_argument("arrays", nargs="*", type=Path, metavar="in.npy", help="Contents of the first tensors")
    parser.add_argument(
        "--out",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="Where the next tensor that isn't given goes, zeros before the run; may be repeated",
    )
    parser.add_argument(
        "--random",
        type=_seed,
        metavar="SEED",
        help="Fill the tensors that have neither a file nor an --out with random data",
    )
    parser.add_argument("--chip", metavar="CHIP", help="trn1, trn2, trn3 or inf2, where the module doesn't name one")
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="Perturb the engines' timing, which must not change results"
    )
    parser.add_argument(
        "--check",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Report races, reads of bytes never written, misuse of PSUM and buffers that overlap (default)",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="Checks that also report uses of lanes that read as zero because a masked load names no value for them",
    )
    parser.add_argument("--profile", action="store_true", help="Print what each engine waited for, rates and memory")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="Write the timeline for ui.perfetto.dev (JSON)")
    return parser


def _program(module: ModuleOp) -> ProgramOp:
    from nki_mlir.dialects.neuron_isa import ProgramOp

    programs = [op for op in module.body.block.ops if isinstance(op, ProgramOp)]
    if len(programs) == 1:
        return programs[0]
    if not programs:
        raise ExecutionError("the module holds no kernel")
    names = ", ".join(program.sym_name.data for program in programs)
    raise ExecutionError(f"the module holds {len(programs)} kernels ({names}); a run takes one")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code, except that usage errors and `--help` end the process by `SystemExit`."""
    harden_lexer()
    tool = NkiRun(argv)
    return guarded("nki-run", tool.run, tool.report)


if __name__ == "__main__":
    sys.exit(main())
