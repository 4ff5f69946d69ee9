"""Which vector and matrix instructions a processor has, and which of them act, read from text.

What acts decides how fast a fit is, and in which order sums are taken. PyTorch leaves convolutions to oneDNN, which
takes the best set that the processor has, up to the one that ONEDNN_MAX_CPU_ISA names (oneDNN's developer guide, CPU
dispatcher control).
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

SETS = {
    "amx_bf16": frozenset({"amx_bf16", "amx_tile"}),
    "avx512_bf16": frozenset({"avx512_bf16", "avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    "avx512": frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    "avx2": frozenset({"avx2"}),
}
"""Every set that is told from others, best first, with the flags of Linux's /proc/cpuinfo that it takes."""

OTHER = "other"
"""What acts where none of `SETS` does."""

BFLOAT16 = ("amx_bf16", "avx512_bf16")
"""Those that multiply bfloat16."""

_ARM_BFLOAT16 = "bf16"  # a flag of ARM's processors: they multiply bfloat16, too

_CEILINGS = {
    "sse41": OTHER,
    "avx": OTHER,
    "avx2": "avx2",
    "avx2_vnni": "avx2",
    "avx2_vnni_2": "avx2",
    "avx512_core": "avx512",
    "avx512_core_vnni": "avx512",
    "avx512_core_bf16": "avx512_bf16",
    "avx512_core_fp16": "avx512_bf16",
    "avx10_1_512": "avx512_bf16",
    "avx10_2": "avx512_bf16",
    "avx10_2_512": "avx512_bf16",
}  # values of ONEDNN_MAX_CPU_ISA that keep oneDNN from a set, and what they leave; every other value leaves all

_CAPABILITIES = {"AVX512": "avx512", "AVX2": "avx2"}  # of torch.backends.cpu.get_cpu_capability()


@cache
def cpuinfo() -> str:
    """What Linux says of the processors; empty elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def model_of(cpuinfo: str) -> str | None:
    """The name of the processor that /proc/cpuinfo gives; None where it gives none, as on most ARM machines."""
    return _field(cpuinfo, "model name")


def flags_of(cpuinfo: str) -> frozenset[str]:
    """The flags of the first processor in a text like /proc/cpuinfo: `flags` of an x86, `Features` of an ARM."""
    return frozenset((_field(cpuinfo, "flags") or _field(cpuinfo, "Features") or "").split())


def sets_of(flags: Iterable[str]) -> list[str]:
    """Those of `SETS` whose flags are all there, best first."""
    there = frozenset(flags)
    return [name for name, wanted in SETS.items() if wanted <= there]


def sets_by_capability(capability: str) -> list[str]:
    """The same where there is no /proc/cpuinfo, by what PyTorch calls the processor; bfloat16 is then not known."""
    best = _CAPABILITIES.get(capability)
    names = list(SETS)
    return names[names.index(best) :] if best else []


def acting(sets: Iterable[str], ceiling: str = "") -> str:
    """The best of the sets that oneDNN may use under a ceiling, the value of ONEDNN_MAX_CPU_ISA; `other` if none is."""
    names = [*SETS, OTHER]
    highest = names.index(_CEILINGS.get(ceiling.lower(), names[0]))
    return next((name for name in names[highest:] if name in set(sets)), OTHER)


def multiplies_bfloat16(flags: Iterable[str], ceiling: str = "") -> bool:
    """Whether units for bfloat16 act; without them every product is converted to single precision and back."""
    there = frozenset(flags)
    return acting(sets_of(there), ceiling) in BFLOAT16 or _ARM_BFLOAT16 in there


def _field(cpuinfo: str, name: str) -> str | None:
    """The value of a field where it stands first: of the first processor."""
    for line in cpuinfo.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip() == name:
            return value.strip()
    return None
