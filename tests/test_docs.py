"""What code and documents point to exists: files, their sections, and the sources of figures."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import write_passes

from nki_mlir.costs.transfers import full_rate
from nki_mlir.passes import our_passes
from nki_mlir.passes.stages import STAGES
from nki_mlir.targets import SOURCES, TARGETS, Target, load

ROOT = Path(__file__).parent.parent
FOLDERS = ("nki_mlir", "tests", "benchmarks", "examples", "docs", ".ci")
TEXT = {".py", ".toml", ".md", ".mlir", ".json", ""}
FILES = [
    *(p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*")) if p.is_file() and p.suffix in TEXT),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml")),
]
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]

DOCUMENT = re.compile(r"(?<![\w/.*>-])([\w./-]*\w\.md)(?:#([\w-]+))?")
DATA = re.compile(r"(?<![\w/.*>{-])([\w./-]*\w\.(?:json|toml))\b")
WRITTEN = {"matmul.json"}
"""Files that a command of the documents writes."""
SECTION_NUMBER = re.compile(r"\bsections? \d")
HARDWARE = (ROOT / "docs" / "hardware.md").read_text(encoding="utf-8")


@cache
def slugs(document: Path) -> set[str]:
    """The names of a document's sections in links, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """What a file says to readers, with line numbers: a document whole, comments and docstrings of Python."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        comment = {".md": "", ".mlir": "//"}.get(path.suffix, "#")
        yield from ((n, line) for n, line in enumerate(text.splitlines(), 1) if comment in line)
        return
    with path.open("rb") as file:
        tokens = tokenize.tokenize(file.readline)
        yield from ((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as docstring)):
                yield from enumerate(docstring.splitlines(), node.lineno)


def broken_references(path: Path, text: str) -> Iterator[str]:
    """What a line of a file points to in vain."""
    for name, section in DOCUMENT.findall(text):
        found = next((p for p in (ROOT / name, path.parent / name) if p.is_file()), None)
        if found is None:
            yield f"there is no {name}"
        elif section and section not in slugs(found):
            yield f"{name} has no section {section}"
    for name in DATA.findall(text):
        # Without its folder a file is anywhere.
        if name not in WRITTEN and not any(f"/{known}".endswith(f"/{name}") for known in NAMES):
            yield f"there is no {name}"
    if SECTION_NUMBER.search(text):
        yield "sections have names, not numbers"


def test_documents_sections_and_data_files_exist() -> None:
    assert [
        f"{name}:{line}: {fault}"
        for name, path in zip(NAMES, FILES, strict=True)
        for line, text in prose(path)
        for fault in broken_references(path, text)
    ] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("as docs/hardware.md#psum says", None),
        ("see [hardware](hardware.md#dma)", None),
        ("hardware.md 3.1", "there is no hardware.md"),
        ("docs/hardware.md#psums", "docs/hardware.md has no section psums"),
        ("(notes.json, enums)", "there is no notes.json"),
        ("figures of costs.toml, `passes/<name>.md` and *.json", None),
        ("section 4 of it", "sections have names, not numbers"),
    ],
)
def test_a_broken_reference_is_found(text: str, fault: str | None) -> None:
    folder = "docs" if "](" in text else "nki_mlir"
    assert next(broken_references(ROOT / folder / "any", text), None) == fault


# -- docs/passes.md ----------------------------------------------------------------------------------------------------


def test_the_passes_are_described_as_they_are() -> None:
    assert write_passes.PAGE.read_text(encoding="utf-8") == write_passes.page(), "run python docs/write_passes.py"


def test_every_pass_is_described() -> None:
    headings = re.findall(r"^## (.*)$", write_passes.page(), re.MULTILINE)
    assert headings == list(our_passes())
    stages = [name for spec in STAGES.values() for name in spec.split(",")]
    assert sorted(headings, key=stages.index) == headings


# -- docs/hardware.md --------------------------------------------------------------------------------------------------


def rows(heading: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    section = HARDWARE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_sources_are_those_of_the_targets() -> None:
    table = {tag: document for tag, document in rows("Sources")}
    assert [tag for tag, title in SOURCES.items() if not table.get(tag, "").startswith(title)] == []


def test_each_source_is_listed_and_cited() -> None:
    table = {tag for tag, _ in rows("Sources")}
    body = HARDWARE.partition("\n## Cores\n")[2]
    # In the text in brackets, several at a time; in tables in the last column. Shapes in brackets are no sources.
    brackets = {
        cite for group in re.findall(r"(?<!\w)\[([a-z][^][]*)\](?!\()", body) for cite in re.split(r",\s+", group)
    }
    columns = {word for line in body.splitlines() if line.startswith("|") for word in re.split(r"[|,\s]+", line)}
    assert brackets - table <= {"*derived*"}
    assert table - brackets - columns - set(SOURCES) == set()


CORES = {
    "cores of a chip": lambda t: t.cores_per_chip,
    "Tensor clock, GHz": lambda t: t.clock_ghz["tensor"],
    "Vector clock, GHz": lambda t: t.clock_ghz["vector"],
    "Scalar clock, GHz": lambda t: t.clock_ghz["scalar"],
    "GpSimd clock, GHz": lambda t: t.clock_ghz["gpsimd"],
    "SBUF of a partition, KiB": lambda t: t.memory.sbuf_bytes / 1024,
    "PSUM of a partition, KiB": lambda t: t.memory.psum_bytes / 1024,
    "HBM of a chip, GiB": lambda t: t.memory.hbm_bytes / 1024**3,
    "DMA engines of a core": lambda t: t.dma.engines,
    "rate of a DMA engine in a packet, GB/s": lambda t: t.dma.wire_bytes_per_ns,
    "rate that an engine reaches, GB/s": lambda t: pytest.approx(_packet_rate(t), rel=0.03),
}


def _packet_rate(target: Target) -> float:
    """Of full packets, as long as they come."""
    return full_rate(target) / target.dma.engines * target.dma.sustained_factor


CHIPS = TARGETS[:3]
"""inf2 is trn1 but for a rate."""


def test_the_table_of_cores_is_that_of_the_targets() -> None:
    table = {row[0]: row[1:4] for row in rows("Cores")}
    assert table.pop("NeuronCore") == [load(name).core for name in CHIPS]
    assert table.keys() == CORES.keys()
    for what, read in CORES.items():
        assert [float(cell) for cell in table[what]] == [read(load(name)) for name in CHIPS], what
