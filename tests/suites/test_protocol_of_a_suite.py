"""A suite that scores otherwise than its task: the numbers are those of that protocol, and so is their signature."""

from pathlib import Path

import pytest
import torch

from dipbench.errors import UserError
from dipbench.images.files import read_image
from dipbench.running.conditions import Conditions
from dipbench.running.runner import run_suite
from dipbench.scoring import Protocol
from dipbench.store.store import Store
from dipbench.suites.jobs import jobs_of
from dipbench.suites.suite import Suite, read_suite

SUITE = """
title = "Luma"
[[experiments]]
name = "denoising"
dataset = "photos[crop=128,side=32]"
images = ["coffee"]
task = "denoising[sigma=25]"
methods = ["degraded"]
"""


def suite_of(folder: Path, protocol: str) -> Suite:
    (folder / "mine.toml").write_text(SUITE + protocol)
    return read_suite(str(folder / "mine.toml"))


@pytest.mark.parametrize(
    ("written", "protocol"),
    [
        ("", Protocol()),
        ("protocol = {channels = 'luma', border = 4}", Protocol("luma", (4, 4))),
        ("protocol = {border = [4, 5], quantisation = 'round'}", Protocol("all", (4, 5), "round")),
    ],
)
def test_numbers_are_of_the_protocol_that_the_suite_names(tmp_path: Path, written: str, protocol: Protocol) -> None:
    suite, store = suite_of(tmp_path, written), Store(tmp_path / "store")
    (row,) = run_suite(
        suite, store, seeds=[0], conditions=Conditions(torch.device("cpu"), processes=1), command=""
    ).results.to_dict("records")
    assert row["protocol"] == protocol.signature
    problem = store.path / "problems" / row["measurement"]
    truth, degraded = read_image(problem / "truth.png"), read_image(problem / "degraded.png")
    assert row["psnr"] == pytest.approx(float(protocol.psnr(degraded, truth)), abs=0.02)  # pictures have 8 bits


def test_another_protocol_is_another_run_on_the_same_pixels(tmp_path: Path) -> None:
    plain, luma = (jobs_of(suite_of(tmp_path, w), [0])[0].run for w in ("", "protocol = {channels = 'luma'}"))
    assert plain.key != luma.key
    assert plain.measurement_key == luma.measurement_key


@pytest.mark.parametrize(
    ("written", "named"),
    [("channels = 'red'", "channels"), ("border = -1", "border"), ("peak = 255", "peak")],
)
def test_what_no_protocol_has_is_refused(tmp_path: Path, written: str, named: str) -> None:
    with pytest.raises(UserError, match=named):
        suite_of(tmp_path, f"protocol = {{{written}}}")
