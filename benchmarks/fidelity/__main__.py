"""Modelled time against published measurements of kernels on real devices.

python benchmarks/fidelity [--json FILE] [--only ID ...] [--leave-out SOURCE] [--constants TARGET]
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]

if __name__ == "__main__":
    from fidelity.command import main

    main()
