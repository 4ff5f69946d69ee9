"""The standard suites at their smoke scale, and what they ask for."""

from pathlib import Path

import pytest

import dipbench
from dipbench import registry
from dipbench.contract import Prior
from dipbench.suites.agenda import read_agenda
from dipbench.suites.preset_files import preset_names
from dipbench.suites.suite import read_suite

STANDARD = [name for name in preset_names() if name.startswith("standard/") and not read_agenda(name)]


@pytest.mark.parametrize(
    ("name", "experiment"),  # one of each: the others of a suite differ from it in the data set and the level alone
    [
        ("denoising", "kodak24, sigma 50"),
        ("super_resolution", "set5, x3"),
        ("super_resolution_matlab", "kodak24, x3"),
        ("inpainting", "kodak24, text"),
        ("crops", "set14, 50% missing"),
    ],
)
def test_runs_to_its_end(name: str, experiment: str, paper_data: Path, tmp_path: Path) -> None:
    results = dipbench.run(f"standard/{name}", only=[experiment], scale="smoke", device="cpu", out=tmp_path)
    assert set(results["status"]) == {"done"}, results[["method", "message"]].to_string()
    assert results.loc[results["output"] == "final", "psnr"].notna().all()


@pytest.mark.parametrize("name", STANDARD)
def test_deep_image_prior_stands_beside_methods_without_a_fit(name: str) -> None:
    suite = read_suite(name)
    for experiment in suite.experiments:
        names = [entrant.method.name for entrant in experiment.methods]
        assert names[0] == "dip"
        assert not all(issubclass(registry.find("method", name), Prior) for name in names), experiment.name


def test_whole_data_sets_are_in_the_agenda_and_crops_among_its_fits() -> None:
    whole, fits = read_agenda("standard"), read_agenda("standard/fits")
    assert whole is not None
    assert fits is not None
    assert {entry.suite for entry in whole.agenda} == set(STANDARD) - {"standard/crops"}
    assert {entry.suite for entry in fits.agenda} == set(STANDARD)
