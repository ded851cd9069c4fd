"""The instruction set as the model has it: where each instruction runs, its operands, its cost, and its samples.

python benchmarks/instructions.py [--target trn1] [--json FILE]

Work is in cycles of the engine, by the cases of the target's cost table: the first that fits. What is added to it, and
what a matmul's two halves and a transfer cost, is in the target's `engine`, `matmul` and `dma` sections. `samples` are
the occurrences in `tests/samples` that the table-driven tests verify, print, parse and run. Control instructions, which
are operations of neuron.isa, and what is left out follow, with the reason.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from reporting import add_json, table, write_json

from nki_mlir.dialects.instructions import INSTRUCTIONS, NOT_MODELLED, Instruction
from nki_mlir.dialects.neuron_isa import NeuronIsa, SequencerOp
from nki_mlir.executor.meaning import MEANING
from nki_mlir.targets import TARGETS, Target, load

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))


def sample_counts() -> Counter[str]:
    samples = importlib.import_module("samples")
    groups = [importlib.import_module(f"samples.{m.name}") for m in pkgutil.iter_modules(samples.__path__)]
    return Counter(sample.name for group in groups for sample in group.SAMPLES)


def row(instruction: Instruction, target: Target, samples: Counter[str]) -> dict[str, Any]:
    name = instruction.name
    cases = target.costs.get(name, ())
    work = "; ".join(f"{c.cycles} ({c.engine or 'any'}{f', {c.when}' if c.when else ''})" for c in cases)
    meaning = MEANING.get(name)
    return {
        "instruction": name,
        "cores": " ".join(instruction.cores),
        "engines": "all" if len(instruction.engines) == 5 else " ".join(instruction.engines),
        "operands": " ".join(o.name + "?" * o.optional for o in instruction.operands[:6])
        + " …" * (len(instruction.operands) > 6),
        "fields": " ".join(f.name + "?" * f.optional for f in instruction.fields),
        "rules": len(instruction.rules),
        "meaning": meaning.__module__.rsplit(".", 1)[1] if meaning else "a pair of others",
        "samples": samples[name],
        "work": work or ("dma" if instruction.is_transfer else "matmul"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--target", choices=TARGETS, default="trn1")
    add_json(parser)
    arguments = parser.parse_args()
    target, samples = load(arguments.target), sample_counts()
    rows = [row(instruction, target, samples) for instruction in INSTRUCTIONS]
    print(table(rows, tuple(rows[0])))
    control = [op.name.rsplit(".", 1)[1] for op in NeuronIsa.operations if issubclass(op, SequencerOp)]
    control = sorted(set(control) - {i.name for i in INSTRUCTIONS})
    print(f"\n{len(rows)} instructions; and of the sequencers: {', '.join(control)}")
    left_out = [{"left out": name, "why": why} for name, why in NOT_MODELLED.items()]
    print(f"\n{table(left_out, ('left out', 'why'))}")
    write_json(arguments.json, [*rows, *left_out])


if __name__ == "__main__":
    main()
