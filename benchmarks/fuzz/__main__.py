"""Right or refused, never raw: random valid kernels, mutated kernels and mutated text, each with its outcome.

python benchmarks/fuzz [--kernels N] [--mutants N] [--text N] [--seed S] [--show] [--json FILE]
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]

if __name__ == "__main__":
    from fuzz.report import main

    main()
