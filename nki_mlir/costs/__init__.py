"""What instructions, transfers and movements cost on a target. Asked by passes and by the executor; needs no NumPy."""
