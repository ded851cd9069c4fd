"""The benchmark that lists errors which no test comes to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from errors_fired import sites

ROOT = Path(__file__).parent.parent


def test_what_fires_is_not_listed() -> None:
    test = "tests/filecheck/dialects/neuron_mem/pieces_invalid.mlir"
    script = str(ROOT / "benchmarks" / "errors_fired.py")
    done = subprocess.run([sys.executable, script, test], capture_output=True, text=True, timeout=300, check=True)
    listed = [line.rsplit(":", 1)[0] for line in done.stdout.splitlines() if line.startswith("nki_mlir/")]
    assert "nki_mlir/passes/stream.py" in listed
    pieces = sum(site.path.name == "neuron_mem_pieces.py" for site in sites())
    assert listed.count("nki_mlir/dialects/neuron_mem_pieces.py") < pieces
