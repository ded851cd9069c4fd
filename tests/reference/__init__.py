"""A reference for what programs mean: the `tile` and `neuron.mem` levels run by xDSL's interpreter on NumPy arrays, one
operation after another, and a check that every level of a lowering agrees with it.

Nothing here knows the passes or the executor's arithmetic; only `levels.py`, which compares them with this, does.
"""
