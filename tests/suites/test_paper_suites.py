"""The paper's suites, each at its smoke scale: every run ends, and a table with the published column comes out."""

from pathlib import Path

import pytest

import dipbench
from dipbench.store.records import NO_TRUTH
from dipbench.suites.agenda import read_agenda
from dipbench.suites.preset_files import preset_names

PAPER = [name for name in preset_names() if name.startswith("paper/") and not read_agenda(name)]


@pytest.mark.parametrize("name", PAPER)
def test_runs_to_its_end(name: str, paper_data: Path, tmp_path: Path) -> None:
    results = dipbench.run(name, scale="smoke", device="cpu", out=tmp_path, settings=["dip.iterations=2"], report=True)
    without_weights = results["message"].str.contains("which dipbench does not download by itself")
    results = results[~without_weights]  # what looks through a classifier of torchvision
    assert set(results["status"]) <= {"done", "refused"}, results[["method", "message"]].to_string()
    fitted = results[results["output"] == "final"]
    assert (fitted["psnr"].notna() | (fitted["message"] == NO_TRUTH)).all()
    assert "activation" not in results or results.loc[results["message"] == NO_TRUTH, "activation"].notna().all()
    assert len(results)
    assert (tmp_path / "report" / "index.html").is_file()


def test_the_suites_that_the_paper_needs_are_there() -> None:
    assert {name.removeprefix("paper/") for name in PAPER} >= {
        "denoising",
        "denoising_averaging",
        "sr_x4",
        "sr_x8",
        "inpainting",
        "inpainting_text",
        "inpainting_hole",
        "restoration_98",
        "sr_prior_effect",
        "architectures",
        "inversion",
        "activation_maximization",
        "jpeg",
        "flash",
        "enhancement",
    }
