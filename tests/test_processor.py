"""Which instructions act, by written texts of /proc/cpuinfo, and beside what oneDNN itself says here."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from dipbench import processor, resources

AVX512 = "avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni"
SAPPHIRE_RAPIDS = f"""processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu sse4_1 avx fma avx2 {AVX512} avx512_bf16 avx512_fp16 amx_bf16 amx_tile amx_int8

processor\t: 1
flags\t\t: fpu
"""
EPYC = f"model name\t: AMD EPYC\nflags\t\t: fpu sse4_1 avx fma avx2 {AVX512} avx512_bf16\n"
CASCADE_LAKE = f"model name\t: Intel(R) Xeon(R) Gold 6230\nflags\t\t: fpu sse4_1 avx fma avx2 {AVX512}\n"
HASWELL = "model name\t: Intel(R) Core(TM) i7-4770\nflags\t\t: fpu sse4_1 avx fma avx2\nbugs\t\t: spectre_v1\n"
NO_TILES = f"flags\t\t: avx2 {AVX512} amx_bf16\n"  # as a virtual machine may leave them out
ARM = "processor\t: 0\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd fphp asimdhp sve i8mm bf16\nCPU implementer\t: 0x41\n"
OLD_ARM = "processor\t: 0\nFeatures\t: fp asimd\n"


@pytest.mark.parametrize(
    ("text", "sets", "bfloat16"),
    [
        (SAPPHIRE_RAPIDS, ["amx_bf16", "avx512_bf16", "avx512", "avx2"], True),
        (EPYC, ["avx512_bf16", "avx512", "avx2"], True),
        (CASCADE_LAKE, ["avx512", "avx2"], False),
        (HASWELL, ["avx2"], False),
        (NO_TILES, ["avx512", "avx2"], False),
        (ARM, [], True),
        (OLD_ARM, [], False),
    ],
)
def test_reads_from_the_flags_what_a_processor_has(text: str, sets: list[str], bfloat16: bool) -> None:
    flags = processor.flags_of(text)
    assert processor.sets_of(flags) == sets
    assert processor.acting(sets) == (sets[0] if sets else "other")
    assert processor.multiplies_bfloat16(flags) == bfloat16


@pytest.mark.parametrize(
    ("ceiling", "best", "bfloat16"),
    [
        ("AVX512_CORE_AMX", "amx_bf16", True),
        ("AVX512_CORE_FP16", "avx512_bf16", True),
        ("AVX512_CORE_BF16", "avx512_bf16", True),
        ("AVX512_CORE", "avx512", False),
        ("avx2", "avx2", False),
        ("SSE41", "other", False),
        ("ALL", "amx_bf16", True),
        ("no such thing", "amx_bf16", True),
    ],
)
def test_a_ceiling_keeps_onednn_from_what_lies_above(ceiling: str, best: str, bfloat16: bool) -> None:
    flags = processor.flags_of(SAPPHIRE_RAPIDS)
    assert processor.acting(processor.sets_of(flags), ceiling) == best
    assert processor.multiplies_bfloat16(flags, ceiling) == bfloat16


def test_a_ceiling_gives_no_processor_what_it_has_not() -> None:
    assert processor.acting(processor.sets_of(processor.flags_of(HASWELL)), "AVX512_CORE_BF16") == "avx2"


def test_the_model_is_that_of_the_first_processor() -> None:
    assert processor.model_of(SAPPHIRE_RAPIDS) == "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"
    assert processor.model_of(ARM) is None


@pytest.mark.parametrize(
    ("capability", "sets"), [("AVX512", ["avx512", "avx2"]), ("AVX2", ["avx2"]), ("DEFAULT", []), ("SVE256", [])]
)
def test_asks_pytorch_where_there_is_no_cpuinfo(
    capability: str, sets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "cpuinfo", str)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert resources.instruction_sets() == sets
    assert not resources.lacks_bfloat16(torch.device("cpu")), "nothing is claimed that is not known"


@pytest.mark.parametrize("ceiling", ["", "AVX2"])
def test_agrees_with_what_onednn_says_it_takes(ceiling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line that oneDNN logs of the processor, `isa:`, in a process of its own: it asks once."""
    if platform.machine() != "x86_64" or not torch.backends.mkldnn.is_available():
        pytest.skip("oneDNN names these sets of instructions on an x86 only")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", ceiling)
    code = "import torch; torch.nn.functional.conv2d(torch.rand(1, 64, 64, 64), torch.rand(64, 64, 3, 3))"
    environment = {**os.environ, "ONEDNN_VERBOSE": "1"}
    log = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    (said,) = [line.partition("isa:")[2] for line in log.stdout.splitlines() if "info,cpu,isa:" in line]
    assert resources.instructions() == set_of(said)


def set_of(said: str) -> str:
    """Our name for what oneDNN's log calls the processor."""
    if "AMX" in said:
        return "amx_bf16"
    if "AVX-512" in said or "AVX10" in said:
        return "avx512_bf16" if "bfloat16" in said or "AVX10" in said else "avx512"
    return "avx2" if "AVX2" in said else "other"
