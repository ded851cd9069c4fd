"""Imports of the package run one way: from layer to layer, and without a cycle between modules.

Every import counts: at the top of a file, inside a function, under TYPE_CHECKING, and those by a computed name, which
`COMPUTED` lists. That a module's package is imported with it does not count: most packages import their modules.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

import nki_mlir
import nki_mlir.executor
import nki_mlir.passes

PACKAGE = Path(__file__).parent.parent / "nki_mlir"

LAYERS = (
    {"collection", "errors", "recursion"},
    {"targets"},
    {"dialects"},
    {"analysis", "costs", "op_parser"},
    {"executor", "frontend", "passes"},
    {"language", "parsing", "universe"},
    {"compiled"},
    {"known_launches"},
    {"kernel"},
    {"nki"},
    {"nki_mlir", "tools"},
)
"""The parts of the package, lowest first: each imports from itself and from layers below its own only. `nki_mlir` is
the package's own `__init__`."""

COMPUTED = {
    "nki_mlir": nki_mlir._HOMES.values(),
    "nki_mlir.executor": nki_mlir.executor._HOMES.values(),
    "nki_mlir.passes": [name.replace("-", "_") for name in nki_mlir.passes.OURS],
}
"""The modules of packages that these packages import by a computed name."""

Graph = Mapping[str, Mapping[str, int]]
"""By module what it imports, each with a line."""


def modules(package: Path) -> dict[str, Path]:
    """By name."""
    found: dict[str, Path] = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def graph_of(package: Path) -> Graph:
    known = modules(package)
    graph = {name: dict(_imports(name, path, known)) for name, path in known.items()}
    for module, names in COMPUTED.items():
        if module in graph:
            graph[module] |= {f"{module}.{name}": 1 for name in names}
    return graph


def _imports(module: str, path: Path, known: Mapping[str, Path]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom():
                origin = _origin(node, module, path)
                names = [f"{origin}.{alias.name}" for alias in node.names]
            case _:
                continue
        for name in names:
            found = _module_of(name, known)
            if found is not None and found != module:
                yield found, node.lineno


def _origin(node: ast.ImportFrom, module: str, path: Path) -> str:
    """The absolute name of the module that a `from` imports from."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    package = parts[: len(parts) - node.level + (path.name == "__init__.py")]
    return ".".join([*package, *([node.module] if node.module else [])])


def _module_of(name: str, known: Mapping[str, Path]) -> str | None:
    """The module that a name is, or that it stands in."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


def cycle(graph: Graph) -> list[str]:
    """The imports that close a cycle; none where there is no cycle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        path: list[str] = error.args[1]
        return [f"{a}:{graph[a][b]} imports {b}" for b, a in pairwise(path)]
    return []


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def upward(graph: Graph) -> list[str]:
    """Imports of a layer that is not below."""
    rank = {part: index for index, parts in enumerate(LAYERS) for part in parts}
    return [
        f"{module}:{line} imports {other}"
        for module, imported in graph.items()
        for other, line in imported.items()
        if part_of(module) != part_of(other) and rank[part_of(module)] <= rank[part_of(other)]
    ]


@pytest.mark.parametrize("name", ["Loop", "Memory", "Step"])
def test_names_have_one_meaning(name: str) -> None:
    """Words that many parts would like to have."""
    defining = re.compile(rf"^(?:class {name}\b|{name}(?:: TypeAlias)? = )", re.MULTILINE)
    assert len([path for path in PACKAGE.rglob("*.py") if defining.search(path.read_text("utf-8"))]) == 1


def test_no_import_cycle() -> None:
    assert cycle(graph_of(PACKAGE)) == []


def test_imports_run_one_way() -> None:
    assert upward(graph_of(PACKAGE)) == []


def test_every_part_has_a_layer() -> None:
    assert {part_of(module) for module in modules(PACKAGE)} == set().union(*LAYERS)


def test_what_is_imported_by_a_computed_name() -> None:
    """Everything that calls `import_module` for a module of ours is listed."""
    calling = {name for name, path in modules(PACKAGE).items() if 'import_module(f"nki_mlir' in path.read_text("utf-8")}
    assert calling == set(COMPUTED)
    assert set(graph_of(PACKAGE)["nki_mlir.passes"]) <= set(modules(PACKAGE))


@pytest.mark.parametrize(
    "text",
    [
        "from nki_mlir.targets import b",
        "def f():\n    from nki_mlir.targets import b",
        "import typing\nif typing.TYPE_CHECKING:\n    from nki_mlir.targets.b import B",
        "def f():\n    import nki_mlir.targets.b as b",
        "from . import b",
        "from .b import B",
    ],
)
def test_a_cycle_is_found(text: str, tmp_path: Path) -> None:
    package = _package(tmp_path, {"targets/__init__": "", "targets/a": text, "targets/b": "import nki_mlir.targets.a"})
    found = cycle(graph_of(package))
    assert sorted(line.split(":")[0] for line in found) == ["nki_mlir.targets.a", "nki_mlir.targets.b"]


@pytest.mark.parametrize("text", ["import nki_mlir.passes", "def f():\n    from ..passes import p"])
def test_an_upward_import_is_found(text: str, tmp_path: Path) -> None:
    package = _package(tmp_path, {"targets/__init__": "", "passes/__init__": "", "passes/p": "", "targets/a": text})
    (found,) = upward(graph_of(package))
    assert found.startswith(f"nki_mlir.targets.a:{text.count(chr(10)) + 1} imports nki_mlir.passes")


def _package(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "nki_mlir" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "nki_mlir"
