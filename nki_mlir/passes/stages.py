"""The stages of the lowering, as texts that name their passes."""

from __future__ import annotations

_STRUCTURE = (
    "normalize-loops,induction,carried-indices,fold-constants,ungroup,reblock,expand-atomics,structure-accesses"
)
_SHAPE = (
    "recognize-functions,unwrap,trim,fold-constants,regrid,dce,sum-programs,sum-by-products,equalize-trips,peel-masks,trim,fold-constants,merge-factors,maximum-first,dce,merge-steps,scan-loops,widen-loops,dce,"
    "widen,coalesce,clean,trim,interleave"
)
_EXPAND = (
    "expand-branches,sum-by-products,diagonal-products,expand-products,join-products,expand-accesses,expand-indices,dce,split-words,expand-division,"
    "expand-maxnum,bound-exponentials,expand-trigonometry,expand-rounding,split-reductions"
)
_SPLIT = "split-to-hardware-tiles,promote-accumulators,split-sums,lower-converts"
_VALUES = "combine-instructions,stage-in-psum,assign-engines"
_BUFFERS = "spread-transfers,schedule,spread,skew,order-loads,multi-buffer,allocate"

STAGES: dict[str, str] = {
    "tile": f"{_STRUCTURE},clean,{_SHAPE},clean,programs-to-loops,bound-loops,clean,{_EXPAND},clean",
    "tile-to-mem": f"place,clean,hoist-loads,share-loads,share-windows,reuse-loads,{_SPLIT},clean",
    "mem-to-engine": f"select-instructions,clean,{_VALUES},bufferize,{_BUFFERS}",
    "engine-to-isa": "emit-streams,insert-semaphores",
}
"""The lowering, cut where a level is complete: after `tile-to-mem` the module is at `neuron.mem`, and so on."""
