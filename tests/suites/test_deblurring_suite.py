"""The suite of deblurring at its smoke scale, and what it asks for."""

from pathlib import Path

import pytest

import dipbench
from dipbench import registry
from dipbench.images.blurring import KERNELS
from dipbench.suites.suite import read_suite

SUITE = read_suite("deblurring")


@pytest.mark.parametrize(
    "experiment", ["scenario 3: uniform 9x9, BSNR 40 dB", "motion of 15 pixels at 30 degrees, sigma 2"]
)
def test_runs_to_its_end(experiment: str, paper_data: Path, tmp_path: Path) -> None:
    results = dipbench.run("deblurring", only=[experiment], scale="smoke", device="cpu", out=tmp_path, report=True)
    assert set(results["status"]) == {"done"}, results[["method", "message"]].to_string()
    assert results.loc[results["output"] == "final", "psnr"].notna().all()
    assert (tmp_path / "report" / "index.html").is_file()


def test_every_kernel_is_in_it_and_every_experiment_has_the_same_methods() -> None:
    tasks = [registry.build("task", str(experiment.task)) for experiment in SUITE.experiments]
    assert {task.kernel for task in tasks} == set(KERNELS)
    assert {task.border for task in tasks} == {"circular", "replicate"}
    methods = [[entrant.label for entrant in experiment.methods] for experiment in SUITE.experiments]
    assert all(each == methods[0] for each in methods)
    assert methods[0][0] == "dip"
