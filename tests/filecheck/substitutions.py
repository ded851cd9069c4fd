"""What RUN lines may abbreviate; read by `lit.cfg` for real lit and by `run_lines.py` for pytest."""

SUBSTITUTIONS = {
    "NKI_ROUNDTRIP": "nki-opt %s --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s",
    "NKI_INVALID": "nki-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics | filecheck %s",
}
