"""What a run used: its own memory, and not that of the runs before it."""

import platform
import subprocess
import sys

import pytest

MIB = 2**20
TWO_RUNS = """
import torch
from dipbench.resources import PeakMemory, keep_memory

keep_memory()
cpu, peaks = torch.device("cpu"), []
for count in (60, 1):
    memory = PeakMemory(cpu)
    taken = [torch.ones(1_000_000) for _ in range(count)]  # 4 MB each
    peaks.append(memory.peak)
    del taken
print(*peaks)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc hands back what it keeps")
def test_the_peak_of_a_run_is_without_what_the_run_before_it_freed() -> None:
    """In a process of its own: `keep_memory` cannot be undone."""
    done = subprocess.run([sys.executable, "-c", TWO_RUNS], capture_output=True, text=True, check=True)
    large, small = map(int, done.stdout.split())
    assert large - small > 150 * MIB
