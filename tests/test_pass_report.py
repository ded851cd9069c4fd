"""The folder and the page that say what each pass made of a module."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.tools.nki_opt import main
from nki_mlir.tools.pass_report import PAGE, PassReport, lines_of, report_passes

KERNEL = """func.func @twice(%x: memref<64xf32>) {
  %v = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %w = arith.addf %v, %v : tensor<64xf32>
  tile.write %w to %x [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}
"""


@nki_mlir.jit
def add_one(x_ptr, BLOCK: tl.constexpr):
    places = tl.arange(0, BLOCK)
    tl.store(x_ptr + places, tl.load(x_ptr + places) + 1.0)


def shown(page: str, kind: str) -> list[str]:
    """The text of the lines of a kind, in the order of the page."""
    found = re.findall(rf'<div class="{kind}">(.*?)</div>', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", text)) for text in found]


def test_files_are_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, folder = tmp_path / "twice.mlir", tmp_path / "report"
    source.write_text(KERNEL)
    assert main([str(source), "-p", "place,cse", "--chip", "trn2", "--report-passes", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "00-input.mlir",
        "01-place.mlir",
        "02-cse.mlir",
        PAGE,
    ]
    assert (folder / "02-cse.mlir").read_text() == capsys.readouterr().out.rstrip("\n") + "\n"
    assert "tile.read" in (folder / "00-input.mlir").read_text()
    assert "neuron.mem.load" in (folder / "01-place.mlir").read_text()


def test_the_page_marks_what_changed_and_links_to_its_source(tmp_path: Path) -> None:
    source, folder = tmp_path / "twice.mlir", tmp_path / "report"
    source.write_text(KERNEL)
    assert main([str(source), "-p", "place,dce", "--chip", "trn2", "--report-passes", str(folder), "-o", "-"]) == 0
    page = (folder / PAGE).read_text()
    assert any("tile.read" in line for line in shown(page, "removed"))
    assert any("neuron.mem.load" in line for line in shown(page, "added"))
    assert not any("func.return" in line for line in (*shown(page, "added"), *shown(page, "removed")))
    (target,) = re.findall(r'<div class="added">[^\n]*href="#(L\d+)"[^\n]*neuron\.mem\.store', page)
    assert re.search(rf'<div id="{target}"><span class="number">4</span>[^\n]*tile\.write', page)
    assert "nothing changed" in page.partition("<b>2 dce</b>")[2]
    assert "http" not in page


def test_of_a_kernel(tmp_path: Path) -> None:
    """Positions are those of the Python file, which stands beside the passes."""
    module = add_one.trace(np.zeros(64, np.float32), BLOCK=64, grid=(1,)).module
    before = str(module)
    report_passes(module, tmp_path / "a" / "b", "tile")
    assert str(module) == before
    page = (tmp_path / "a" / "b" / PAGE).read_text()
    line = next(n for n, text in enumerate(Path(__file__).read_text().splitlines(), 1) if "tl.store(x_ptr" in text)
    assert f'href="#L{line}"' in page
    assert "def add_one" in page


def test_lines_without_an_operation_are_from_nowhere() -> None:
    module = add_one.trace(np.zeros(64, np.float32), BLOCK=64, grid=(1,)).module
    lines = lines_of(module)
    assert "\n".join(line.text for line in lines) == str(module)
    assert {line.text.strip() for line in lines if line.position is None} == {"}"}


def test_numbers_of_values_are_no_change() -> None:
    module = add_one.trace(np.zeros(64, np.float32), BLOCK=64, grid=(1,)).module
    report = PassReport("kernel.py", "")
    report.add("input", module)
    report.add("renumber", module)
    last = report.steps[1]
    last.lines = [line._replace(text=line.text.replace("%", "%1")) for line in last.lines]
    assert "nothing changed" in report.page()
    last.lines[3] = last.lines[3]._replace(text="something.else")
    assert "nothing changed" not in report.page()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--report-passes", "FILE"], "can't write into FILE: it is no folder"),
        (["--report-passes", "new", "--split-input-file"], "--report-passes is of one module"),
    ],
)
def test_what_can_not_be_reported(
    args: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_text(KERNEL)
    assert main(["FILE", "-p", "place", *args]) == 1
    assert message in capsys.readouterr().err
    assert not Path("new").exists()


def test_without_the_library_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    (tmp_path / "in.mlir").write_text(KERNEL)
    assert main([str(tmp_path / "in.mlir"), "-p", "place", "--report-passes", str(tmp_path / "new")]) == 1
    assert "pip install 'nki-mlir[report]'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
