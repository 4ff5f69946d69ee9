"""On what runs are computed, and how. None of it but the precision changes what comes out."""

import warnings
from dataclasses import dataclass
from typing import Self

import torch

from dipbench.errors import UserError
from dipbench.fit import REFERENCE, Execution, pick_execution
from dipbench.resources import instructions, lacks_bfloat16, pick_device


@dataclass(frozen=True)
class Conditions:
    """The device, the execution of fits, and how many of them side by side."""

    device: torch.device
    execution: Execution = REFERENCE
    processes: int = 0  # side by side; 0: one a core as far as the memory goes, and one a GPU
    checkpoint_seconds: float = 60.0  # between two checkpoints of a fit; 0: none is written or read
    at_once: int = 0  # runs that take turns in a process; 0: as many as fill a GPU, one on a CPU
    tries: int = 3  # of a run whose process vanishes each time before it got further: then it has failed

    @classmethod
    def read(
        cls,
        device: str = "auto",
        jobs: int = 0,
        engine: str = "auto",
        precision: str = "float32",
        checkpoint: float = 60.0,
        at_once: int = 0,
    ) -> Self:
        """The conditions of these words, which are options of `dipbench run`.

        UserError for what is not available or out of range. Warns where bfloat16 gains nothing.
        """
        if jobs < 0:
            raise UserError(f"jobs must be a number of processes, or 0 for one per core, as memory allows, got {jobs}")
        if checkpoint < 0:
            raise UserError(f"checkpoint must be a number of seconds, or 0 for none, got {checkpoint}")
        if at_once < 0:
            raise UserError(f"at_once must be a number of runs, or 0 for as many as fill a GPU, got {at_once}")
        on = pick_device(device)
        execution = pick_execution(on, engine, precision)
        if execution.arithmetic.autocast == torch.bfloat16 and lacks_bfloat16(on):
            warnings.warn(
                f"precision '{precision}' will not be faster than float32 here: no units for bfloat16 act "
                f"(instructions: {instructions()})",
                stacklevel=2,
            )
        return cls(on, execution, jobs, checkpoint, at_once)
