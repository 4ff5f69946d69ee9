"""The runs that faults happen to: a method without a fit, and a short fit that writes a checkpoint every iteration."""

import shutil
from itertools import count
from pathlib import Path

from served import KILLED, NAME, Commands, Order

SUITE = """
name = "faults"
title = "Faults"

[[experiments]]
name = "denoising"
dataset = "photos[crop=256,side=32]"
images = ["astronaut"]
task = "denoising"
methods = ["degraded", "dip[down=[8,8],iterations=3]"]
"""


class SmallStore:
    """Makes stores in a folder.

    `whole` is what comes of it undisturbed, `computed` the same without a report, `half` was killed within the fit.
    """

    def __init__(self, folder: Path, do: Commands):
        self.folder, self._do = folder, do
        self._suite = folder / "suite.toml"
        self._suite.write_text(SUITE)
        self.whole = folder / "whole"
        assert do(Order(self.run(self.whole, report=True))).status == 0
        self.computed = folder / "computed"
        shutil.copytree(self.whole, self.computed, ignore=lambda *of: {"report"})
        self.half = self._half()

    def run(self, out: Path, report: bool = False) -> tuple[str, ...]:
        """The command that computes a store."""
        words = ("run", str(self._suite), "--out", str(out), "--jobs", "1", "--device", "cpu", "--checkpoint", "0.0001")
        return words if report else (*words, "--no-report")

    def copy(self, of: Path | None) -> Path:
        """A store to do something to, in place of the one before; an empty one where it is of nothing."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        if of:
            shutil.copytree(of, out)
        return out

    def _half(self) -> Path:
        half = self.folder / "half"
        for call in count(1):
            self._do(Order(self.run(half), str(half), NAME, call, error=KILLED))
            if len(list(half.glob("checkpoints/*/[0-9]*.pt"))) == 2:
                return half
            shutil.rmtree(half, ignore_errors=True)
        raise AssertionError
