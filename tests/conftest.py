"""Makes every `tests/filecheck/**/*.mlir` a pytest item that runs the file's RUN lines in this process."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from run_lines import RunFailure, Unsupported, run_line, run_lines

from nki_mlir.collection import YOUNG
from nki_mlir.executor.tensor_array import Clock

FILECHECK = Path(__file__).parent / "filecheck"

# Examples are the same in every run, so that a change fails for what it changed; `--hypothesis-profile explore` looks
# for others.
settings.register_profile(
    "same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("explore", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


def pytest_collection_finish() -> None:
    """Garbage collection skips what is there by now, the tests themselves, and is as rare as it is while compiling."""
    gc.freeze()
    gc.set_threshold(YOUNG)


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The array is at full rate from the beginning."""
    monkeypatch.setattr(Clock, "factor", lambda _self, _now: 1.0)


class LitItem(pytest.Item):
    """The RUN lines of one file, in order."""

    def runtest(self) -> None:
        lines = run_lines(self.path.read_text(encoding="utf-8"))
        if not lines:
            raise RunFailure("the file has no RUN line")
        for line in lines:
            try:
                run_line(line, self.path)
            except Unsupported as error:
                raise RunFailure(
                    f"RUN: {line}\nnot supported here: {error}; see tests/filecheck/run_lines.py"
                ) from error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, RunFailure):
            return f"{excinfo.value}\nin {self.path}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, str(self.path.relative_to(FILECHECK))


class LitFile(pytest.File):
    """A test file; one item, so that its RUN lines run in order in one worker."""

    def collect(self) -> Iterable[LitItem]:
        yield LitItem.from_parent(self, name=self.path.stem)


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> LitFile | None:
    if file_path.suffix == ".mlir" and FILECHECK in file_path.parents and "Inputs" not in file_path.parts:
        return LitFile.from_parent(parent, path=file_path)
    return None
