"""The published figures, row by row, in their sources' order, and how a model's figure is judged against each.

`figure` is the published text; `key` names the figure that the case of that id models; `published` are its values, in
the order in which the text has them. "2 x" are latencies of a profiler whose total time is twice the p50 it reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from fidelity.entries import ENTRIES, Entry

ABSOLUTE, RATIO, ORDERING, BOUND = "absolute", "ratio", "ordering", "upper bound"
UNNAMED = ("trn1 or trn2 (not named)", "trn (generation not stated in the excerpt)", "not named")


@dataclass(frozen=True)
class Row:
    """An ordering holds if the modelled value is above the published one, or within `within` of it; a bound, if it is
    not above."""

    id: str
    device: str
    judged: str
    figure: str
    key: str
    published: tuple[float, ...]
    within: float | None = None

    @property
    def entry(self) -> Entry:
        """Kind, source and tool."""
        return ENTRIES[self.id]

    @property
    def named(self) -> bool:
        """Whether the source names the device."""
        return self.device not in UNNAMED

    def error(self, modelled: tuple[float, ...] | None) -> float:
        """The mean of the values' relative errors, in percent; 100 without a model."""
        if modelled is None or len(modelled) != len(self.published):
            return 100.0
        errors = [abs(m / p - 1) for m, p in zip(modelled, self.published, strict=True)]
        return 100 * sum(errors) / len(errors)

    def holds(self, modelled: tuple[float, ...] | None) -> bool:
        """Of an ordering or a bound."""
        if modelled is None:
            return False
        value, limit = modelled[0], self.published[0]
        if self.within is not None:
            return abs(value - limit) <= self.within
        return value <= limit if self.judged == BOUND else value > limit


ROWS: tuple[Row, ...] = (
    Row("MM-AT-HAND", "trn2", ABSOLUTE, "90.92% MFU", "MFU %", (90.92,)),
    Row("MM-AT-HAND", "trn2", ORDERING, "hand kernel > compiler baseline 86.65% (same README)", "MFU %", (86.65,)),
    Row("MM-AT-16", "trn2", ABSOLUTE, "~16% MFU", "MFU %", (16,)),
    Row(
        "MM-AT-16",
        "trn2",
        RATIO,
        "serial single-buffer loads / hand kernel time = 90.92/16 = 5.7 (derived)",
        "time over MM-AT-HAND",
        (90.92 / 16,),
    ),
    Row("MM-KO-V2", "trn2", ABSOLUTE, "39.89 ms", "ms", (39.89,)),
    Row("MM-KO-V2", "trn2", ABSOLUTE, "TensorE active 87.28% (34.82 ms)", "TensorE %", (87.28,)),
    Row("MM-KO-V2", "trn2", ABSOLUTE, "DMA active 99.93%", "DMA %", (99.93,)),
    Row("MM-KO-V2", "trn2", ABSOLUTE, "MFU 17.52%", "MFU %", (17.52,)),
    Row("MM-KO-V5", "trn2", ABSOLUTE, "28.30 ms", "ms", (28.30,)),
    Row("MM-KO-V5", "trn2", ABSOLUTE, "TensorE active 99.50%", "TensorE %", (99.50,)),
    Row("MM-KO-V5", "trn2", ABSOLUTE, "VectorE active 10.55%", "VectorE %", (10.55,)),
    Row("MM-KO-V5", "trn2", ABSOLUTE, "DMA active 21.54%", "DMA %", (21.54,)),
    Row("MM-NB-MATMUL", "trn1", ABSOLUTE, "35.199742 ms", "ms", (35.199742,)),
    Row("MM-NB-MATMUL", "trn1", ABSOLUTE, "derived 263 GB/s DMA", "GB/s", (263,)),
    Row("MM-KDA-BLK", "trn2", RATIO, "B1/B4 = 15.8853/13.3517", "B1/B4", (15.8853 / 13.3517,)),
    Row("MM-KDA-BLK", "trn2", ABSOLUTE, "PE active 89 / 97 / 100%", "TensorE % of B1, B2, B4", (89, 97, 100)),
    Row("MM-KDA-BLK", "trn2", ORDERING, "B4 fastest of 1,2,4,8", "next / B4", (1,)),
    Row("MM-KDA-BLK", "trn2", ABSOLUTE, "2 x 13.3517 ms (derived)", "ms", (2 * 13.3517,)),
    Row("MM-KDA-BMM", "trn2", ABSOLUTE, "2 x 2.0353 ms (derived)", "ms", (2 * 2.0353,)),
    Row("MM-KDA-BMM", "trn2", ORDERING, "256 KiB vs 512 KiB stores: same time", "512 / 256 KiB", (1,), within=0.02),
    Row("MM-KDA-BMM", "trn2", ORDERING, "v1 slowest, M_SUB=32 fastest", "v1 / M_SUB=32", (1,)),
    Row("MM-NB-SWIGLU", "trn1", ABSOLUTE, "4.221777 ms", "ms", (4.221777,)),
    Row("MM-NB-SWIGLU", "trn1", ABSOLUTE, "VectorE active 13.47%", "VectorE %", (13.47,)),
    Row("MM-NS-FP8", "trn2", BOUND, "<= 320 us", "us", (320,)),
    Row("MB-TOY", "trn1 (inferred)", ABSOLUTE, "172.93 us", "us", (172.93,)),
    Row("MB-TOY", "trn1 (inferred)", ABSOLUTE, "VectorE active 98.71%", "VectorE % of window", (98.71,)),
    Row("MB-V2-4K", "trn1 (inferred)", ABSOLUTE, "1.61 ms", "ms", (1.61,)),
    Row("MB-V2-4K", "trn1 (inferred)", ABSOLUTE, "VectorE active 99.63%", "VectorE % of window", (99.63,)),
    Row(
        "MB-V3-TAB",
        "trn1 (inferred)",
        ABSOLUTE,
        "1.6, 3.3, 6.6, 10.1, 13.3, 17.3, 19.6, 24.2, 27.8 ms",
        "ms by length",
        (1.6, 3.3, 6.6, 10.1, 13.3, 17.3, 19.6, 24.2, 27.8),
    ),
    Row("MB-V3-TAB", "trn1 (inferred)", ABSOLUTE, "VectorE active 94.85% at 8192", "VectorE % of window", (94.85,)),
    Row("MB-KDA", "trn2", RATIO, "v2/v4 = 0.7822/0.7278", "v2/v4", (0.7822 / 0.7278,)),
    Row("MB-KDA", "trn2", ORDERING, "v3 > v2 > v4 > v5", "least of v3/v2, v2/v4, v4/v5", (1,)),
    Row("MB-KDA", "trn2", ABSOLUTE, "Vec active 89 / 97 / 95%", "VectorE % of v2, v3, v4", (89, 97, 95)),
    Row("MB-KDA", "trn2", ABSOLUTE, "2 x 0.7278 ms (derived)", "ms", (2 * 0.7278,)),
    Row("AT-NB-BMMSM", "trn1", ABSOLUTE, "11.999614 ms", "ms", (11.999614,)),
    Row("AT-NB-BMMSM", "trn1", ABSOLUTE, "VectorE active 46.39%", "VectorE %", (46.39,)),
    Row("AT-NB-BMMSM", "trn1", ABSOLUTE, "ScalarE active 43.40%", "ScalarE %", (43.40,)),
    Row("AT-KDA-GQA1", "trn2", RATIO, "10.5204/7.7904", "neither / both folds", (10.5204 / 7.7904,)),
    Row(
        "AT-KDA-GQA1",
        "trn2",
        RATIO,
        "10.5204 -> 8.6820 deferred normalise",
        "neither / deferred normalise",
        (10.5204 / 8.6820,),
    ),
    Row("AT-KDA-GQA1", "trn2", RATIO, "10.5204 -> 9.6523 scale fold", "neither / scale fold", (10.5204 / 9.6523,)),
    Row("AT-NS-SD", "trn1 or trn2 (not named)", BOUND, "<= 675 us fp32", "us fp32", (675,)),
    Row("AT-NS-SD", "trn1 or trn2 (not named)", BOUND, "<= 536 us bf16", "us bf16", (536,)),
    Row("AT-NS-SD", "trn1 or trn2 (not named)", BOUND, "<= 600 us fp16 d=64", "us fp16 d=64", (600,)),
    Row("AT-BLOG", "trn (generation not stated in the excerpt)", ABSOLUTE, "400 us", "us at 4096", (400,)),
    Row("AT-BLOG", "trn (generation not stated in the excerpt)", ABSOLUTE, "6,236 us", "us at 16384", (6236,)),
    Row("AT-BLOG", "trn (generation not stated in the excerpt)", RATIO, "ratio 15.6", "16384 / 4096", (15.6,)),
    Row("AT-AT-MFU", "trn2", ABSOLUTE, "30% / 46%", "MFU % at 2048, 16384", (30, 46)),
    Row("AT-AT-MFU", "trn2", ABSOLUTE, "44.88% (1.947 ms) of 16,384 x 64", "MFU % at 16384 x 64", (44.88,)),
    Row("EW-NB-SILU", "trn1", ABSOLUTE, "1.333232 ms", "ms", (1.333232,)),
    Row("EW-NB-SILU", "trn1", ABSOLUTE, "VectorE active 73.88%", "VectorE %", (73.88,)),
    Row("EW-NB-SILU", "trn1", ABSOLUTE, "ScalarE active 31.48%", "ScalarE %", (31.48,)),
    Row("EW-NB-SILU", "trn1", ABSOLUTE, "tuned 0.797740 ms (DMA floor)", "tuned ms", (0.797740,)),
    Row("EW-KDA-ROPE", "trn2", RATIO, "A/B(2048) = 0.9445/0.7801", "A/B", (0.9445 / 0.7801,)),
    Row("EW-KDA-ROPE", "trn2", RATIO, "VectorE busy halves with 128 partitions", "VectorE A/B", (0.865 / 0.429,)),
    Row("EW-KDA-ROPE", "trn2", ABSOLUTE, "Vec 92% / 55%", "VectorE % of A, B", (92, 55)),
    Row("NM-LN", "trn1", ABSOLUTE, "2311 us v1", "us v1", (2311,)),
    Row("NM-LN", "trn1", ABSOLUTE, "1969 us v2", "us v2", (1969,)),
    Row("NM-LN", "trn1", RATIO, "v1/v2 = 1.174", "v1/v2", (1.174,)),
    Row("NM-NB-ARM", "trn1", ABSOLUTE, "1.221911 ms", "ms", (1.221911,)),
    Row("NM-NB-ARM", "trn1", ABSOLUTE, "ScalarE active 22.54%", "ScalarE %", (22.54,)),
    Row("NM-KDA-RM", "trn2", ABSOLUTE, "2 x 0.4716 ms (derived)", "ms", (2 * 0.4716,)),
    Row("NM-KDA-RM", "trn2", ABSOLUTE, "PE active 97%", "TensorE %", (97,)),
    Row("NM-KDA-RM", "trn2", RATIO, "VectorE-transpose variant +2.1%", "VectorE transposes / PE", (0.4813 / 0.4716,)),
    Row("NM-KDA-RM", "trn2", ORDERING, "stationary reorder: no gain", "reordered / base", (1,), within=0.01),
    Row("NM-NS-QKV", "trn1 or trn2 (not named)", BOUND, "<= 25 us", "us S=128 dim=512", (25,)),
    Row("NM-NS-QKV", "trn1 or trn2 (not named)", BOUND, "<= 40 us", "us S=512 dim=1024", (40,)),
    Row("NM-NS-QKV", "trn1 or trn2 (not named)", BOUND, "<= 28 us", "us S=128 dim=1024", (28,)),
    Row("DM-CONST", "trn1, trn2, trn3", ABSOLUTE, "272 / 368 / 528 GB/s", "GB/s", (272, 368, 528)),
    Row("DM-CONST", "trn1, trn2, trn3", ABSOLUTE, "~1300 ns", "ns", (1300, 1300, 1300)),
    Row("DM-VADD2", "trn2", ABSOLUTE, "37318 us", "us R=1", (37318,)),
    Row("DM-VADD2", "trn2", ABSOLUTE, "378 us", "us R=128", (378,)),
    Row("DM-VADD2", "trn2", ABSOLUTE, "186 us", "us F=2", (186,)),
    Row("DM-VADD2", "trn2", ABSOLUTE, "15 us", "us F=200", (15,)),
    Row("DM-PIPE1", "trn1", ABSOLUTE, "34 us", "us F=2000", (34,)),
    Row("DM-PIPE1", "trn1", ABSOLUTE, "29 us", "us F=1000", (29,)),
    Row("DM-PIPE1", "trn1", ORDERING, "F=1000 < F=2000", "F=2000 / F=1000", (1,)),
    Row("DM-KDA-SILU", "trn2", RATIO, "7168/1024 = 0.3009/0.2940", "7168/1024", (0.3009 / 0.2940,)),
    Row("DM-KDA-SILU", "trn2", RATIO, "(2 x 7168)/1024 = 1.139", "(2 x 7168)/1024", (1.139,)),
    Row("DM-KDA-SILU", "trn2", RATIO, "ping-pong/1024 = 2.00", "ping-pong/1024", (2.00,)),
    Row("DM-KDA-SILU", "trn2", ABSOLUTE, "2 x 0.2940 ms (derived)", "ms", (2 * 0.2940,)),
    Row("CV-CS149", "trn2", BOUND, "<= 4596 us fp32 224", "us fp32 224", (4596,)),
    Row("CV-CS149", "trn2", BOUND, "<= 1002 us fp16 224", "us fp16 224", (1002,)),
    Row("CV-CS149", "trn2", BOUND, "<= 110 us fp32 32x16", "us fp32 32x16", (110,)),
    Row("CV-CS149", "trn2", BOUND, "<= 84 us fp16 32x16", "us fp16 32x16", (84,)),
    Row("CV-STU2", "trn2", ABSOLUTE, "fp16 90% MFU", "MFU % fp16", (90,)),
    Row("CV-STU2", "trn2", ABSOLUTE, "fp32 41% MFU", "MFU % fp32", (41,)),
    Row("CV-STU2", "trn2", ORDERING, "pooling: no change", "pooled / plain", (1,), within=0.02),
    Row("CV-STU1", "trn1", ABSOLUTE, "~1060 us fp16", "us fp16", (1060,)),
    Row("CV-STU1", "trn1", ABSOLUTE, "~3681 us fp32", "us fp32", (3681,)),
    Row("CV-STU1", "trn1", RATIO, "1332/1054 barrier", "barrier / overlapped", (1332 / 1054,)),
    Row("CV-NS-POOL", "not named", BOUND, "<= 14 x 1.05 us global pool", "us [1,512,7,7]", (14 * 1.05,)),
    Row("CV-NS-POOL", "not named", BOUND, "<= 65 x 1.05 us", "us [1,64,56,56]", (65 * 1.05,)),
    Row("CV-NS-POOL", "not named", BOUND, "<= 327 x 1.05 us", "us [2,128,28,28]", (327 * 1.05,)),
    Row("TR-CS149", "trn2", BOUND, "< 700 us", "us", (700,)),
    Row("TR-KDA", "trn2", ABSOLUTE, "PE transpose 0.053 to 0.105 us", "us PE", (0.105,)),
    Row("TR-KDA", "trn2", ORDERING, "VectorE transpose much dearer", "VectorE / PE", (10,)),
    Row("IN-ACT", "trn1", ABSOLUTE, "189 ns", "ns", (189,)),
    # Whole kernels opened later.
    Row("MM-AT-DB", "trn2", ABSOLUTE, "A 366 us / 59.6%", "us A", (366,)),
    Row("MM-AT-DB", "trn2", ABSOLUTE, "A engines active 72.3%, 18.2%, 8.8%", "A engines %", (72.3, 18.2, 8.8)),
    Row("MM-AT-DB", "trn2", ABSOLUTE, "B TensorE active 87.8%", "B TensorE %", (87.8,)),
    Row("MM-AT-DB", "trn2", ABSOLUTE, "B 262 us / 83.4%", "us B", (262,)),
    Row("MM-AT-DB", "trn2", RATIO, "A/B = 1.40", "A/B", (1.40,)),
    Row("MM-AT-DB", "trn2", ORDERING, "reorder M>K>N: no gain", "reordered / B", (1,), within=0.01),
    Row("MM-NB-TMM", "trn1", ABSOLUTE, "9.610311 ms", "ms", (9.610311,)),
    Row("MM-NB-BMM", "trn1", ABSOLUTE, "4.610889 ms", "ms", (4.610889,)),
    Row("MM-NB-BMM", "trn1", ABSOLUTE, "ScalarE active 37.26%", "ScalarE %", (37.26,)),
    Row("AT-KDA-BMMSM", "trn2", RATIO, "no-drain 6.6288 / drained 3.7460", "none / ScalarE", (6.6288 / 3.7460,)),
    Row("AT-KDA-BMMSM", "trn2", ORDERING, "ScalarE drain < VectorE drain", "VectorE / ScalarE", (1,)),
    Row("AT-KDA-BMMSM", "trn2", ORDERING, "VectorE drain < 4/4 split", "both / VectorE", (1,)),
    Row("AT-KDA-BMMSM", "trn2", ABSOLUTE, "2 x 3.7460 ms (derived)", "ms", (2 * 3.7460,)),
    Row("AT-KDA-GQA2", "trn2", RATIO, "7.1907/5.9949", "a/b", (7.1907 / 5.9949,)),
    Row("AT-KDA-GQA2", "trn2", RATIO, "5.9949/4.3109", "b/c", (5.9949 / 4.3109,)),
    Row("AT-KDA-GQA2", "trn2", ABSOLUTE, "PE active 97.2%", "TensorE %", (97.2,)),
    Row("AT-KDA-GQA2", "trn2", ABSOLUTE, "2 x 4.3109 ms (derived)", "ms", (2 * 4.3109,)),
    Row("EW-NB-ADAMW", "trn1", ABSOLUTE, "1.999829 ms", "ms", (1.999829,)),
    Row("EW-NB-ADAMW", "trn1", ABSOLUTE, "VectorE active 90.02%", "VectorE %", (90.02,)),
    Row("DM-VADD1", "trn1", ABSOLUTE, "27404 us", "us R=1", (27404,)),
    Row("DM-VADD1", "trn1", ABSOLUTE, "206 us", "us R=128", (206,)),
    Row("DM-VADD1", "trn1", ABSOLUTE, "53 us", "us F=2", (53,)),
    Row("DM-VADD1", "trn1", ABSOLUTE, "19 us", "us F=200", (19,)),
    Row("DM-PIPE2", "trn2", ABSOLUTE, "28 us", "us F=2000", (28,)),
    Row("DM-PIPE2", "trn2", ABSOLUTE, "26 us", "us F=1000", (26,)),
    Row("DM-PIPE2", "trn2", ORDERING, "F=1000 < F=2000", "F=2000 / F=1000", (1,)),
    Row("DM-KDA-ADAMW", "trn2", ABSOLUTE, "2 x 0.5474 ms (derived)", "ms", (2 * 0.5474,)),
    Row("DM-KDA-ADAMW", "trn2", ABSOLUTE, "Vec active 72%", "VectorE %", (72,)),
    Row("DM-KDA-ADAMW", "trn2", RATIO, "row/best = 0.6180/0.5474", "row/best", (0.6180 / 0.5474,)),
    Row("CV-C1D", "trn1", ABSOLUTE, "8.007 ms", "ms", (8.007,)),
    Row("CV-C1D", "trn1", ABSOLUTE, "4.955 ms with the filter in PSUM", "filter in PSUM ms", (4.955,)),
    Row("CV-C1D", "trn1", ABSOLUTE, "0.461 ms", "fused ms", (0.461,)),
    Row("CV-C1D", "trn1", ABSOLUTE, "58.6 ns per tiny tensor_tensor (derived)", "ns", (58.6,)),
    Row("DM-VA1K-T2", "trn2", ABSOLUTE, "26.417 us", "us", (26.417,)),
    Row("DM-VA1K-T2", "trn2", ABSOLUTE, "10.4 us first to last packet", "us first to last packet", (10.57,)),
    Row("DM-VA1K-T2", "trn2", RATIO, "F=1000 / F=2000 0.83", "over the other", (0.83,)),
    Row("DM-VA2K-T2", "trn2", ABSOLUTE, "28.905 us", "us", (28.905,)),
    Row("DM-VA2K-T2", "trn2", ABSOLUTE, "12.9 us first to last packet", "us first to last packet", (12.63,)),
    Row("CV-C224", "trn2", ABSOLUTE, "0.79 ms", "ms", (0.7939,)),
    Row("CV-C224", "trn2", ABSOLUTE, "3996 x 188.2 ns", "ns a product", (188.2,)),
    Row(
        "MM-SK-2K",
        "trn2",
        ABSOLUTE,
        "1209.35 ... 952.70 us, ten block sizes",
        "us",
        (1209.35, 1074.90, 1004.01, 963.25, 947.75, 931.17, 907.74, 904.74, 911.57, 952.70),
    ),
    Row("MM-SK-2K", "trn2", ABSOLUTE, "PE busy .814, .977", "TensorE %", (81.4, 97.7)),
    Row("MM-SK-2K", "trn2", ORDERING, "faster along BK for [1,2,*]", "least gain along BK", (1,)),
    Row("MM-SK-LAD", "trn2", ABSOLUTE, "1258.6, 1093.2, 1019.6, 905.8 us", "us", (1258.6, 1093.2, 1019.6, 905.8)),
    Row("TR-1024-T2", "trn2", ABSOLUTE, "46.471 us", "us", (46.471,)),
    Row("TR-1024-T2", "trn2", ABSOLUTE, "loads 15.6, stores 15.2 us", "us of loads, stores", (15.7, 15.3)),
    # Single instructions and packets.
    Row("IN-T2-VE", "trn2", ABSOLUTE, "1200.5 / 2242 ns", "ns", (1200.5, 2242)),
    Row("IN-T1-VE", "trn1", ABSOLUTE, "2016.5 / 3820 ns", "ns", (2016.5, 3820)),
    Row("IN-T2-VEINT", "trn2", ABSOLUTE, "tensor_reduce of 512, SBUF, PSUM: 603, 597 ns", "reduce", (603, 597)),
    Row("IN-T2-VEINT", "trn2", ABSOLUTE, "they take 676 to 691 ns", "reduce takes", (681, 685)),
    Row("IN-T2-VEINT", "trn2", ABSOLUTE, "copy PSUM: 602, takes 690; 128: 290 ns", "copy", (602, 690, 290)),
    Row("IN-T2-VEINT", "trn2", ABSOLUTE, "tensor_scalar, pointer, SBUF: 396, 481 ns", "pointer sbuf", (396, 481)),
    Row("IN-T2-VEINT", "trn2", ABSOLUTE, "tensor_scalar, pointer, PSUM: 268, 349 ns", "pointer psum", (268, 349)),
    Row("IN-T2-VEINT", "trn2", ABSOLUTE, "tiny: 157, 178, one every 85 ns", "tiny", (157, 178, 85)),
    Row("IN-T2-VEINT", "trn2", ABSOLUTE, "two dependent tiny: 191, 214 ns", "dependent", (191, 214)),
    Row("IN-T2-ACT", "trn2", ABSOLUTE, "copies every 157, 477 ns", "copy", (157, 477)),
    Row("IN-T2-ACT", "trn2", ABSOLUTE, "copies take 265, 585 ns", "copy takes", (265, 585)),
    Row("IN-T2-ACT", "trn2", ABSOLUTE, "exp with a pointer every 570, 612 ns", "exp", (570, 612)),
    Row("IN-T2-ACT", "trn2", ABSOLUTE, "exp with a pointer takes 686, 707 ns", "exp takes", (686, 707)),
    Row("IN-T2-ACT", "trn2", ABSOLUTE, "16-bit copies every 116.7 ns", "16-bit", (116.7,)),
    Row("IN-T2-ACT", "trn2", ABSOLUTE, "casts of 420, 444 take 510.0, 528.3 ns", "cast takes", (510.0, 528.3)),
    Row("IN-T2-ACT", "trn2", ABSOLUTE, "table load 1283 ns", "table", (1283,)),
    Row(
        "IN-T2-PE",
        "trn2",
        ABSOLUTE,
        "cold: 427, 853, 213.3, 348, 213.3, 106.7 ns",
        "cold",
        (427, 853, 213.3, 348, 213.3, 106.7),
    ),
    Row(
        "IN-T2-PE",
        "trn2",
        ABSOLUTE,
        "warm: 218.5, 55.5, 431.7, 111.5, 177.5, 107.9, 188.2 ns",
        "warm",
        (218.5, 55.5, 431.7, 111.5, 177.5, 107.9, 187.7),
    ),
    Row("IN-T2-HAM", "trn2", ABSOLUTE, "full rate after 4.4 us (mean of seven)", "us to full rate", (4.37,)),
    Row("IN-T2-HAM", "trn2", ORDERING, "cold again after 11.7 us", "cold again", (2,), within=0.2),
    Row("IN-T2-ALIGN", "trn2", ABSOLUTE, "202.5 against 177.5 ns", "ns", (202.5, 177.5)),
    Row("DM-PKT2", "trn2", ABSOLUTE, "loads 151.8, 682.4, 1181.2 ns", "loads", (151.8, 682.4, 1181.2)),
    Row("DM-PKT2", "trn2", ABSOLUTE, "stores 155.3, 136.5, 1208 ns", "stores", (155.3, 136.5, 1208)),
    Row("DM-PKT2", "trn2", ABSOLUTE, "512 B: 21.2 ns", "512", (21.2,)),
    Row("DM-PKT2", "trn2", ABSOLUTE, "8 x 512 B: 169 to 174 ns", "8 x 512", (171,)),
    Row("DM-PKT1", "trn1", ABSOLUTE, "loads 835 per 16,000 B, 1715 per 32,000 B", "loads", (835, 1715)),
    Row("DM-PKT1", "trn1", ABSOLUTE, "stores 898, 1820 ns", "stores", (898, 1820)),
    Row("DM-PKT1", "trn1", ABSOLUTE, "7.36 and 7.59 us per 2.048 MB", "us of loads", (7.355, 7.59)),
    Row("DM-AK", "trn2", ABSOLUTE, "HW 541 to 559 (128 rows), 564 to 612 ns", "hardware", (550, 588)),
    Row("DM-AK", "trn2", ABSOLUTE, "HW next one about 600 ns later", "one after the other", (600,)),
    Row("DM-AK", "trn2", ABSOLUTE, "SW one per 581 ns (128 rows)", "software", (581,)),
    Row("DM-AK", "trn2", ABSOLUTE, "to consumer: 2.45, 3.17, 3.6 us", "to consumer", (2450, 3170, 3600)),
    Row("IN-CTL", "trn2, trn3", ABSOLUTE, "register load 649 to 767; 331 to 355 ns", "load", (708, 343)),
    Row("IN-CTL", "trn2", ABSOLUTE, "conditional branch 126 to 239 ns", "branch", (182,)),
    Row("IN-CTL", "trn3", ABSOLUTE, "ALU_OP 44 to 47 ns", "register", (45.5,)),
    Row("IN-CTL", "trn2", ABSOLUTE, "core barrier 598 ns", "barrier", (598,)),
    Row("IN-CTL", "trn2", ABSOLUTE, "event semaphore 19 to 52 ns", "semaphore", (33.5,)),
    Row("T3-DGE", "trn3", ABSOLUTE, "540 and 5738 ns per hardware DMA", "ns", (540, 5738)),
    Row("IN-T1-DQ", "trn1", ABSOLUTE, "tensor_tensor of 512, SBUF: 1062, 990 ns", "tensor_tensor sbuf", (1062, 990)),
    Row("IN-T1-DQ", "trn1", ABSOLUTE, "tensor_tensor of 512, PSUM: 467, 470 ns", "tensor_tensor psum", (467, 470)),
    Row("IN-T1-DQ", "trn1", ABSOLUTE, "tensor_scalar of 64, 128: 91, 135 ns", "tensor_scalar", (91, 135)),
    Row("IN-T1-DQ", "trn1", ABSOLUTE, "activation of 64, 128: 69, 115 ns", "activation", (69, 115)),
    # Streams.
    Row("IN-T1-THR", "trn1", ABSOLUTE, "78.60 TFLOPS", "trn1", (78.60,)),
    Row("IN-T1-THR", "inf2", ABSOLUTE, "56.85 TFLOPS", "inf2", (56.85,)),
    Row("IN-T1-PEK", "trn1", ABSOLUTE, "2.45 G columns/s: 209, 104.5, 52.2 ns", "ns", (209, 104.5, 52.2)),
    Row("IN-T1-PEK", "trn1", ABSOLUTE, "30 ns per 16 columns; 215 ns", "short", (30, 215)),
    Row("DM-PN-RD", "trn1", ABSOLUTE, "208.4, 273, 273.5 GB/s", "GB/s", (208.4, 273.0, 273.5)),
    Row("DM-PN-RD", "trn1", ABSOLUTE, "136.8 GB/s with the heavier consumer", "heavier GB/s", (136.8,)),
    Row("DM-PN-RD", "trn1", ABSOLUTE, "VectorE 1331.5, 3808 ns per tile", "VectorE ns", (1331.5, 3808)),
    Row("DM-PN-WR", "trn1", ABSOLUTE, "254.1, 274.4, 229.0 GB/s", "GB/s", (254.1, 274.4, 229.0)),
    Row("DM-KI", "trn1", ABSOLUTE, "4.01, 3.05, 8.15 us a tile", "us a tile", (4.01, 3.05, 8.15)),
    Row("DM-KI", "trn1", ABSOLUTE, "224 to 230 GB/s", "GB/s", (227,)),
    Row("DM-KI", "trn1", ABSOLUTE, "1.5 us per loop iteration", "us an iteration", (1.5,)),
    # Found in November 2026.
    Row("IN-T2-STEP", "trn2", ABSOLUTE, "fp32 half-pass of 420 columns, warm: 352.5 ns", "half-pass", (352.5,)),
    Row(
        "IN-T2-STEP",
        "trn2",
        ABSOLUTE,
        "VectorE, fp32 of PSUM into fp16: copy of 14 takes 174, addition to 420 596 ns",
        "drains",
        (174, 596),
    ),
    Row(
        "IN-T2-STEP",
        "trn2",
        ABSOLUTE,
        "VectorE, 128 of fp16 out of PSUM to every 18th: 548, takes 712; fp32: 240, 398 ns",
        "vector",
        (548, 712, 240, 398),
    ),
    Row(
        "IN-T2-STEP",
        "trn2",
        ABSOLUTE,
        "ScalarE, 128 of fp16 to every 9th: 560, takes 724; fp32: 230, 390 ns",
        "scalar",
        (560, 724, 230, 390),
    ),
    Row(
        "IN-T2-STEP",
        "trn2",
        ABSOLUTE,
        "VectorE, 128 of every 9th in SBUF, fp16: 183, takes 275; fp32: 184, 274 ns",
        "read",
        (183, 275, 184, 274),
    ),
    Row("DM-T2-SHORT", "trn2", ABSOLUTE, "128 rows of 96, 192, 512 B: 190, 189, 206 ns", "rows", (190, 189, 206)),
    Row("DM-T2-SHORT", "trn2", ABSOLUTE, "384 of 32, 64 B: 237, 256 ns", "three pieces", (237, 256)),
    Row("DM-T2-SHORT", "trn2", ABSOLUTE, "pieces of 18, 36 B: 10.1, 10.6 ns each", "a piece of 9", (10.1, 10.6)),
    Row("DM-T2-SHORT", "trn2", ABSOLUTE, "elements of 2, 4 B within HBM: 103, 93.7 ns each", "within hbm", (103, 93.7)),
    Row(
        "CV-C32",
        "trn2",
        ABSOLUTE,
        "47.18, 47.01 us fp16 and pooled; 68.72, 70.53 fp32",
        "us",
        (47.18, 47.01, 68.72, 70.53),
    ),
    Row(
        "CV-C32",
        "trn2",
        ABSOLUTE,
        "31.1, 30.9, 52.7, 54.5 us first to last packet",
        "us first to last packet",
        (31.14, 30.85, 52.66, 54.48),
    ),
    Row("CV-C224L", "trn2", ABSOLUTE, "3.4 ms fp32; pooled 0.79 fp16, 3.02 fp32", "ms", (3.4, 0.79, 3.02)),
    Row(
        "CV-R32",
        "trn2",
        ABSOLUTE,
        "120.0, 536.3 us first to last packet",
        "us first to last packet",
        (119.97, 536.31),
    ),
    Row("CV-R32", "trn2", ABSOLUTE, "14 columns: 61.9 ns a product; fp32 451.7", "ns a product", (61.9, 451.7)),
    Row("CV-L32", "trn2", ABSOLUTE, "23.9, 40.1 us first to last packet", "us first to last packet", (23.91, 40.13)),
    Row(
        "MM-AC",
        "trn1",
        ABSOLUTE,
        "20.99, 28.68, 11.8, 8.07, 7.62, 6.96 ms",
        "ms",
        (20.99, 28.68, 11.8, 8.07, 7.62, 6.96),
    ),
    Row("MB-AC", "trn1", ABSOLUTE, "0.636, 0.539, 0.359 ms", "ms", (0.636, 0.539, 0.359)),
)
