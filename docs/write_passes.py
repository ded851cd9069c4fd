"""Writes `passes.md` from the passes themselves and their FileCheck tests: `python docs/write_passes.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from nki_mlir import parse
from nki_mlir.dialects.neuron_isa import ProgramOp
from nki_mlir.passes import our_passes
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import level_of
from nki_mlir.passes.pipelines import build, run, set_target
from nki_mlir.passes.stages import STAGES

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "passes.md"
MOST_LINES = 40
"""How long a printed example may be."""

HEAD = """# The passes

Written by `python docs/write_passes.py` from the passes and their FileCheck tests; a test compares. They stand in the
order of the lowering, `lower-to-isa`; `dce` between them is xDSL's. `nki-opt -p NAME` runs
one, `nki-opt --report-passes FOLDER --lower-to-isa FILE` shows what each makes of a module.
"""


def page() -> str:
    """The text of `passes.md`."""
    stages = {name: stage for stage, spec in STAGES.items() for name in spec.split(",")}
    parts = [HEAD, "| stage | passes |\n|---|---|"]
    parts[-1] += "".join(f"\n| `{stage}` | {' · '.join(_named(spec))} |" for stage, spec in STAGES.items())
    parts += (_section(get(), stages.get(name)) for name, get in our_passes().items())
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _named(spec: str) -> Iterator[str]:
    ours = our_passes()
    return (f"[{name}](#{name})" if name in ours else name for name in spec.split(","))


def _section(one: type[ModulePass], stage: str | None) -> str:
    assert issubclass(one, LevelPass)
    before, after = example(one.name)
    takes = " or ".join(f"`{level}`" for level in one.levels)
    leads = f"leads to `{level_of(after)}`" if level_of(before) != level_of(after) else "stays there"
    where = f"in stage `{stage}`" if stage is not None else "in no stage"
    file = f"../tests/filecheck/passes/{one.name}.mlir"
    shown = "\n\n".join(f"```mlir\n{text}\n```" for text in (_short(before), _short(after)))
    text = _blocks(cleandoc(one.__doc__ or ""))
    return f"## {one.name}\n\nTakes {takes}, and {leads}; {where}.\n\n{text}\n\nFrom [its test]({file}):\n\n{shown}"


def _blocks(text: str) -> str:
    """Indented examples as blocks of code."""
    return re.sub(
        r"(?:^ {4,}.*\n?|\n(?= {4}))+",
        lambda found: "\n```\n" + "\n".join(line[4:] for line in found[0].strip("\n").splitlines()) + "\n```\n",
        text,
        flags=re.MULTILINE,
    )


def example(name: str) -> tuple[ModuleOp, ModuleOp]:
    """The first kernel of a pass's test, in front of the pass and behind it."""
    text = (ROOT / "tests" / "filecheck" / "passes" / f"{name}.mlir").read_text(encoding="utf-8")
    found = re.search(r"""-p ["']?([^"'\s]+)""", text)
    assert found is not None, name
    passes = build(found[1])
    number = [one.name for one in passes].index(name)
    module = parse(text.split("// -----")[0])
    kernels = [op for op in module.body.block.ops if isinstance(op, FuncOp | ProgramOp)]
    for other in kernels[1:]:
        other.detach()
        other.erase()
    set_target(module, None)
    run(passes[:number], module)
    after = module.clone()
    run(passes[number : number + 1], after)
    return module, after


def _short(module: ModuleOp) -> str:
    """What a module holds, without what is too long to read."""
    lines = [line for op in module.body.block.ops for line in str(op).splitlines()]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines"]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
