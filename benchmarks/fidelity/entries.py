"""What each entry of the published list is: its kind, its source, and the tool behind its times."""

from __future__ import annotations

from typing import NamedTuple

INSTRUCTION, STREAM, KERNEL = "instruction", "stream", "kernel"
KINDS = (INSTRUCTION, STREAM, KERNEL)
"""A single instruction or packet, a stream of equal ones, a program."""

PROFILER, BENCHMARK, EXECUTION, TRACE, NONE = "profiler", "benchmark", "execution", "trace", "none"
TOOLS = (PROFILER, BENCHMARK, EXECUTION, TRACE, NONE)
"""A profiler's total time; the latency that `nki.benchmark` reports; a run's time with the start-up left out; times
inside a run; a document."""

LAUNCH_US = {
    (PROFILER, "v2"): 17.0,
    (PROFILER, "v3"): 14.9,
    (PROFILER, "v4"): 14.9,
    (BENCHMARK, "v2"): 14.2,
    (BENCHMARK, "v3"): 10.0,
    (BENCHMARK, "v4"): 10.0,
}
"""What a tool's figure contains beside the program, by core, in us; nothing of a time inside a run. Of a profiler's: on
v3 12.6 before the first trigger and 2.3 behind the last completion in eight traces (DM-VA1K-T2, TR-1024-T2), on v2 12.5
and 4 around the profile of MB-TOY. Of a benchmark's: on v3 a profiler's less 6 (DM-AK), and 11 in DM-VADD2; on v2 what
a single iteration of DM-VADD1 leaves. The 366 us of MM-AT-DB are the sum of its engines' active times: its tool leaves
start-up out."""


class Entry(NamedTuple):
    kind: str
    source: str
    tool: str


SOURCES = {
    "doc": "the vendor's documentation",
    "autotune": "awslabs/nki-autotune",
    "nkibench": "AccelOpt / NKIBench",
    "kda": "KDA for Trainium",
    "samples": "aws-neuron/nki-samples",
    "blog": "FlashAttention on Trainium, a blog post",
    "autocomp": "Autocomp",
    "course-24": "write-ups of the CS149 course of 2024",
    "course-25": "write-ups of the CS149 course of 2025",
    "traces-24": "raw traces of two students of 2024",
    "traces-25": "raw traces of four students of 2025",
    "convolutions": "raw traces and compiled programs of three students' convolutions of 2025",
    "fusion": "allenkchau/trainium-kernel-fusion",
    "skywalker": "yahavb/trainium-agent-labs, skywalker",
    "pantheon": "pantheongpu/pantheonneuron",
    "kiln": "foxl-ai/kiln",
    "megakernel": "KevGomes1403/nki-moe-megakernel",
}
"""Who measured."""

TAGS = {
    "doc": ("perf", "kernel-opt", "dma-intro", "dma-bw", "profiler-2.26"),
    "course-24": ("cs149",),
    "course-25": ("cs149",),
}
"""How the targets' files call a source, where they call it otherwise."""

ENTRIES: dict[str, Entry] = {
    "MM-AT-HAND": Entry(KERNEL, "autotune", EXECUTION),
    "MM-AT-16": Entry(KERNEL, "autotune", EXECUTION),
    "MM-AT-DB": Entry(KERNEL, "autotune", EXECUTION),
    "AT-AT-MFU": Entry(KERNEL, "autotune", EXECUTION),
    "MM-KO-V2": Entry(KERNEL, "doc", PROFILER),
    "MM-KO-V5": Entry(KERNEL, "doc", PROFILER),
    "MB-TOY": Entry(KERNEL, "doc", PROFILER),
    "MB-V2-4K": Entry(KERNEL, "doc", PROFILER),
    "MB-V3-TAB": Entry(KERNEL, "doc", PROFILER),
    "NM-LN": Entry(KERNEL, "doc", BENCHMARK),
    "DM-CONST": Entry(STREAM, "doc", NONE),
    "IN-ACT": Entry(INSTRUCTION, "doc", TRACE),
    "MM-NB-MATMUL": Entry(KERNEL, "nkibench", PROFILER),
    "MM-NB-SWIGLU": Entry(KERNEL, "nkibench", PROFILER),
    "MM-NB-TMM": Entry(KERNEL, "nkibench", PROFILER),
    "MM-NB-BMM": Entry(KERNEL, "nkibench", PROFILER),
    "AT-NB-BMMSM": Entry(KERNEL, "nkibench", PROFILER),
    "EW-NB-SILU": Entry(KERNEL, "nkibench", PROFILER),
    "EW-NB-ADAMW": Entry(KERNEL, "nkibench", PROFILER),
    "NM-NB-ARM": Entry(KERNEL, "nkibench", PROFILER),
    "MM-KDA-BLK": Entry(KERNEL, "kda", PROFILER),
    "MM-KDA-BMM": Entry(KERNEL, "kda", PROFILER),
    "MB-KDA": Entry(KERNEL, "kda", PROFILER),
    "AT-KDA-GQA1": Entry(KERNEL, "kda", PROFILER),
    "AT-KDA-GQA2": Entry(KERNEL, "kda", PROFILER),
    "AT-KDA-BMMSM": Entry(KERNEL, "kda", PROFILER),
    "EW-KDA-ROPE": Entry(KERNEL, "kda", PROFILER),
    "NM-KDA-RM": Entry(KERNEL, "kda", PROFILER),
    "DM-KDA-SILU": Entry(KERNEL, "kda", PROFILER),
    "DM-KDA-ADAMW": Entry(KERNEL, "kda", PROFILER),
    "TR-KDA": Entry(INSTRUCTION, "kda", TRACE),
    "MM-NS-FP8": Entry(KERNEL, "samples", BENCHMARK),
    "AT-NS-SD": Entry(KERNEL, "samples", BENCHMARK),
    "NM-NS-QKV": Entry(KERNEL, "samples", BENCHMARK),
    "CV-NS-POOL": Entry(KERNEL, "samples", BENCHMARK),
    "AT-BLOG": Entry(KERNEL, "blog", BENCHMARK),
    "CV-C1D": Entry(KERNEL, "autocomp", BENCHMARK),
    "DM-PIPE1": Entry(KERNEL, "course-24", PROFILER),
    "DM-VADD1": Entry(STREAM, "course-24", BENCHMARK),
    "CV-STU1": Entry(KERNEL, "course-24", BENCHMARK),
    "DM-PIPE2": Entry(KERNEL, "course-25", PROFILER),
    "DM-VADD2": Entry(STREAM, "course-25", BENCHMARK),
    "CV-CS149": Entry(KERNEL, "course-25", BENCHMARK),
    "CV-STU2": Entry(KERNEL, "course-25", PROFILER),
    "TR-CS149": Entry(KERNEL, "course-25", BENCHMARK),
    "IN-T2-VE": Entry(INSTRUCTION, "traces-25", TRACE),
    "IN-T1-VE": Entry(INSTRUCTION, "traces-24", TRACE),
    "IN-T2-VEINT": Entry(INSTRUCTION, "fusion", TRACE),
    "IN-T2-ACT": Entry(INSTRUCTION, "fusion", TRACE),
    "IN-T2-PE": Entry(INSTRUCTION, "fusion", TRACE),
    "IN-T2-HAM": Entry(STREAM, "traces-25", TRACE),
    "IN-T2-ALIGN": Entry(STREAM, "traces-25", TRACE),
    "DM-PKT2": Entry(INSTRUCTION, "traces-25", TRACE),
    "DM-PKT1": Entry(INSTRUCTION, "traces-24", TRACE),
    "DM-VA1K-T2": Entry(KERNEL, "traces-25", PROFILER),
    "DM-VA2K-T2": Entry(KERNEL, "traces-25", PROFILER),
    "TR-1024-T2": Entry(KERNEL, "traces-25", PROFILER),
    "CV-C224": Entry(KERNEL, "traces-25", PROFILER),
    "DM-AK": Entry(INSTRUCTION, "fusion", TRACE),
    "IN-CTL": Entry(INSTRUCTION, "fusion", TRACE),
    "MM-SK-2K": Entry(KERNEL, "skywalker", PROFILER),
    "MM-SK-LAD": Entry(KERNEL, "skywalker", PROFILER),
    "IN-T1-THR": Entry(STREAM, "pantheon", TRACE),
    "DM-PN-RD": Entry(STREAM, "pantheon", TRACE),
    "DM-PN-WR": Entry(STREAM, "pantheon", TRACE),
    "IN-T1-PEK": Entry(STREAM, "kiln", TRACE),
    "IN-T1-DQ": Entry(INSTRUCTION, "kiln", TRACE),
    "DM-KI": Entry(STREAM, "kiln", TRACE),
    "T3-DGE": Entry(INSTRUCTION, "megakernel", TRACE),
    "IN-T2-STEP": Entry(INSTRUCTION, "convolutions", TRACE),
    "DM-T2-SHORT": Entry(STREAM, "convolutions", TRACE),
    "CV-C32": Entry(KERNEL, "convolutions", PROFILER),
    "CV-C224L": Entry(KERNEL, "convolutions", PROFILER),
    "CV-R32": Entry(KERNEL, "convolutions", TRACE),
    "CV-L32": Entry(KERNEL, "convolutions", TRACE),
    "MM-AC": Entry(KERNEL, "autocomp", BENCHMARK),
    "MB-AC": Entry(KERNEL, "autocomp", BENCHMARK),
}
