"""The command line: `nki-opt` rewrites IR, `nki-run` runs kernels and lowered modules."""
