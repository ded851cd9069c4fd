"""The tables of docs/fidelity.md, from recorded figures and from the targets' own files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from fidelity.entries import INSTRUCTION, KERNEL, KINDS, SOURCES, STREAM
from fidelity.report import LeftOut, Result, absolute, numbers, summary
from fidelity.rows import ABSOLUTE, BOUND, ORDERING, RATIO

from nki_mlir.targets import TARGETS, load, read_table
from nki_mlir.targets.evidence import Estimate, disagreed, evidence, value

FACT = re.compile(r"(?P<name>\w+) = .* # (?P<kind>documented|measured|derived|assumed)\b(?: \[(?P<tag>[\w.-]+)\])?")
CASE = re.compile(r'.*cycles = "(?P<cycles>[^"]*)".* # \w+ \[(?P<tag>[\w.-]+)\]:(?P<note>.*?)(?P<only>; kernel-only)?$')
TIMES = re.compile(r"engine\.\w+|control|matmul|dma|hbm|activation")
"""Sections of a target's file that have constants of time."""
ONLY_KERNELS = "**kernels only**"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def errors(groups: Mapping[str, Sequence[float]], what: str) -> str:
    """Groups of errors in percent, one row each; empty ones are left out."""
    found = {name: summary(one) for name, one in groups.items() if one}
    measures = ("mean", "median", "maximum")
    cells = ([name, str(s["rows"]), *(f"{s[measure]:.1f}%" for measure in measures)] for name, s in found.items())
    return markdown((what, "rows", "mean error", *measures[1:]), cells)


def by_kind(found: Sequence[Result]) -> str:
    judged = absolute(found)
    groups = {f"{kind}s": [r.error for r in judged if r.row.entry.kind == kind] for kind in KINDS}
    both = groups[f"{INSTRUCTION}s"] + groups[f"{STREAM}s"]
    return errors({**groups, "instructions and streams": both, "all": [r.error for r in judged]}, "kind")


def by_source(found: Sequence[Result]) -> str:
    judged = absolute(found)
    return errors({s: [r.error for r in judged if r.row.entry.source == s] for s in sorted(SOURCES)}, "source")


def figures(found: Iterable[Result]) -> str:
    """Rows as they are published and modelled, with the error, or with whether they hold."""
    cells: list[list[str]] = []
    for r in found:
        row, modelled = r.row, "-" if r.modelled is None else numbers(r.modelled, " / ", 200)
        judged = f"{r.error:.1f}%" if row.judged in (ABSOLUTE, RATIO) else "holds" if r.holds else "**fails**"
        cells.append([row.id, row.device, row.figure, numbers(row.published, " / ", 200), modelled, judged])
    return markdown(("id", "device", "published figure", "value", "modelled", "error"), cells)


def verdicts(found: Sequence[Result]) -> str:
    judged = [r for r in found if r.row.named and r.row.judged in (ORDERING, BOUND)]
    failing = [f"{r.row.id} ({r.row.figure})" for r in judged if not r.holds]
    fails = f"; these fail: {', '.join(failing)}." if failing else "."
    return f"{len(judged) - len(failing)} of {len(judged)} hold{fails}"


# -- Constants ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fact:
    """What a target's file says of a constant of time: its kind of fact, and the document."""

    constant: str
    kind: str
    tag: str | None


def text_of(target: str) -> str:
    return resources.files("nki_mlir.targets").joinpath(f"{target}.toml").read_text(encoding="utf-8")


def facts(target: str) -> Iterator[Fact]:
    section = ""
    for line in text_of(target).splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif TIMES.fullmatch(section) and (found := FACT.match(line)):
            yield Fact(f"{section}.{found['name']}", found["kind"], found["tag"])


def kernel_only_costs(target: str) -> Iterator[list[str]]:
    """Formulae of work that kernels alone show, as cells of the table of constants."""
    section = ""
    for line in text_of(target).splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif (found := CASE.match(line)) and found["only"] and "# measured" in line:
            yield [section, found["cycles"], "", f"[{found['tag']}], {ONLY_KERNELS}:{found['note']}"]


def _rests_on(one: Estimate) -> str:
    rows = f" {', '.join(one.rows)}" if one.rows else ""
    return f"{one.value:g} [{one.source}]{rows}{f', {ONLY_KERNELS}' if one.kernel_only else ''}"


def constants(name: str) -> str:
    """The constants of a target that have estimates of their own there: value, range, and what each rests on."""
    target, own = load(name), read_table("evidence")[name]
    ranges, cells = disagreed(target), list[list[str]]()
    for constant, estimates in evidence(name).items():
        if constant not in own:
            continue
        ends = f"{min(ranges[constant]):g} to {max(ranges[constant]):g}" if constant in ranges else ""
        cells.append([constant, f"{value(target, constant):g}", ends, "; ".join(map(_rests_on, estimates))])
    return markdown(("constant", "value", "range", "rests on"), [*cells, *kernel_only_costs(name)])


def others(name: str) -> str:
    """The constants of time of a target without estimates: which documents have them, and which are assumed."""
    estimated = read_table("evidence")[name]
    groups: dict[tuple[int, str, str], list[str]] = {}
    for fact in facts(name):
        if fact.constant not in estimated:
            order = ("documented", "measured", "derived", "assumed").index(fact.kind)
            by = f" [{fact.tag}]" if fact.tag else ", as no figure of it is published"
            groups.setdefault((order, fact.kind, by), []).append(f"`{fact.constant}`")
    return "\n".join(f"- {kind}{by}: {', '.join(names)}" for (_, kind, by), names in sorted(groups.items()))


# -- Sources left out --------------------------------------------------------------------------------------------------


def without_sources(found: Sequence[Result], left_out: Mapping[str, LeftOut]) -> str:
    cells: list[list[str]] = []
    for source, one in left_out.items():
        own = [r.error for r in absolute(found) if r.row.entry.source == source]
        if not own:
            continue
        changed: dict[str, list[str]] = {}
        for constant, (was, now) in one.changes.items():
            target, name = constant.split(" ")
            if name in read_table("evidence")[target]:  # others take it over from their base
                changed.setdefault(f"{target}: ", []).append(f"{name} {was:g} -> {now:g}")
        told = "; ".join(target + ", ".join(found) for target, found in changed.items())
        before = summary(own)["mean"]
        after = before if one.mean_error is None else one.mean_error
        cells.append(
            [
                source,
                str(len(own)),
                f"{before:.1f}%",
                f"{after:.1f}%",
                told or "none: they rest on it alone, or not on it",
            ]
        )
    return markdown(("source left out", "rows", "error with it", "without", "constants that change"), cells)


# -- All of them -------------------------------------------------------------------------------------------------------


def tables(found: Sequence[Result], left_out: Mapping[str, LeftOut]) -> dict[str, str]:
    """By the names that the page has for them."""
    named = [r for r in found if r.row.named]

    def judged(*kinds: str) -> list[Result]:
        return [r for r in named if r.row.judged in kinds]

    one_kind = {
        f"{kind}s": figures(r for r in absolute(found) if r.row.entry.kind == kind)
        for kind in (INSTRUCTION, STREAM, KERNEL)
    }
    return {
        "kinds": by_kind(found),
        "sources": by_source(found),
        "verdicts": verdicts(found),
        **{f"constants {name}": constants(name) for name in TARGETS},
        **{f"other constants {name}": others(name) for name in ("trn1", "trn2", "trn3")},
        "left out": without_sources(found, left_out),
        **one_kind,
        "ratios": figures(judged(RATIO)),
        "orderings": figures(judged(ORDERING, BOUND)),
        "unnamed": figures(r for r in found if not r.row.named),
    }
