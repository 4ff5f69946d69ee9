"""The table of settings of Deep Image Prior: every row, in each of its variants, as the official code has it."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from of_dip import count, dip, network, posed, tricks_of
from torch import Tensor

from dipbench import registry
from dipbench.contract import Scene
from dipbench.fit.tricks import Backtracking, SteppedJitter, WeightNoise
from dipbench.nets import official, official_networks
from dipbench.streams import Streams

NETWORKS = {  # row -> the official network it fits
    "denoising": "denoising",
    "denoising_50": "denoising",
    "jpeg": "denoising_snail",
    "super_resolution": "super_resolution",
    "super_resolution_x8": "super_resolution",
    "sr_prior_effect": "sr_prior_effect",
    "inpainting": "restoration_gray",
    "restoration_98": "restoration_kate",
    "inpainting_text": "inpainting_text",
    "inpainting_vase": "inpainting_vase",
    "inpainting_library": "inpainting_library_skip6",
    "inpainting_library_depth4": "inpainting_library_skip4",
    "inpainting_library_depth2": "inpainting_library_skip2",
    "flash_no_flash": "flash_no_flash",
    "inversion": "feature_inversion_zero_padding",
    "inversion_heavy_noise": "feature_inversion_heavy_noise",
    "activation_maximization": "activation_maximization",
    "activation_maximization_class": "activation_maximization",
    "enhancement": "denoising",
    "deblurring": "denoising",
}


COUNTS = {  # parameters of the first release: the official code of 30 November 2017 with the settings of its notebooks
    "inpainting_text": 5_425_479,
    "inpainting_vase": 1_023_059,
}


FITS = {  # row -> iterations, learning rate, jitter, backtracking
    "denoising": (3000, 0.01, 1 / 30, 5.0),
    "denoising_50": (3000, 0.01, 1 / 20, 5.0),
    "jpeg": (2400, 0.01, 1 / 30, 5.0),
    "super_resolution": (2000, 0.01, 0.03, None),
    "super_resolution_x8": (4000, 0.01, 0.05, None),
    "sr_prior_effect": (2000, 0.01, 1 / 30, None),
    "inpainting": (11000, 0.001, 0.03, 5.0),
    "restoration_98": (1000, 0.01, 0.0, 5.0),
    "inpainting_text": (6001, 0.01, 0.03, None),
    "inpainting_vase": (5001, 0.01, 0.03, None),
    "inpainting_library": (3001, 0.01, 0.0, None),
    "inpainting_library_depth4": (3001, 0.01, 0.0, None),
    "inpainting_library_depth2": (3001, 0.01, 0.0, None),
    "flash_no_flash": (601, 0.1, 0.0, None),
    "inversion": (3100, 0.001, 0.0, None),
    "inversion_heavy_noise": (20000, 0.01, 0.0, None),  # its jitter falls in steps
    "activation_maximization": (3100, 0.001, 0.03, None),
    "activation_maximization_class": (3100, 0.01, 0.03, None),
    "enhancement": (2500, 0.01, 1 / 30, None),
    "deblurring": (3000, 0.01, 0.03, None),
}


def table() -> dict[str, dict[str, Any]]:
    """dip.toml as the method reads it."""
    return import_module(registry.find("method", "dip").__module__).presets()


def test_the_table_has_every_restoration_of_the_official_notebooks() -> None:
    assert set(table()) == set(NETWORKS) == set(FITS)
    without = {name for name, variants in table().items() if "first_release" not in variants}
    assert without == {"inpainting", "flash_no_flash", "inversion_heavy_noise", "enhancement", "deblurring"}


@pytest.mark.parametrize("row", sorted(NETWORKS))
def test_row_builds_the_official_network(row: str) -> None:
    expected = official_networks()[NETWORKS[row]]
    net, z = network(dip(preset=row), posed(expected.outputs))
    assert count(net) == expected.parameters
    assert z.shape[1] == expected.inputs
    reference = official(NETWORKS[row])
    assert [p.shape for p in net.parameters()] == [p.shape for p in reference.parameters()]
    reference.load_state_dict(dict(zip(reference.state_dict(), net.state_dict().values(), strict=True)))
    with torch.no_grad():
        assert torch.equal(net(z), reference(z))


@pytest.mark.parametrize("row", sorted(FITS))
def test_row_has_the_official_fit(row: str) -> None:
    settings = dip(preset=row).fit_settings(posed())
    assert (settings.iterations, settings.optimiser.learning_rate, *tricks_of(settings)[:2]) == FITS[row]
    assert settings.average == (0.0 if row == "enhancement" else 0.99)
    assert (tricks_of(settings)[2], settings.optimiser.epsilon) == (0.0, "corrected")


@pytest.mark.parametrize(("row", "variant"), [(row, v) for row, variants in table().items() for v in variants])
def test_every_variant_makes_an_image(row: str, variant: str) -> None:
    problem = posed(side=192)
    prior = dip(preset=row, variant=variant)
    assert prior.refuses(problem) is None
    net, z = network(prior, problem)
    with torch.no_grad():
        assert net(z).shape == (1, 3, 192, 192)
    if variant == "first_release":
        assert count(net) == COUNTS.get(row, official_networks()[NETWORKS[row]].parameters)
        assert prior.recipe(problem).batch_norm_start == "uniform"
        assert prior.fit_settings(problem).optimiser.epsilon == "uncorrected"
        of_2017 = not row.startswith("activation_maximization")  # which came in June 2018
        assert prior.recipe(problem).align_corners == (of_2017 and prior.recipe(problem).upsampling == "bilinear")


def test_the_rows_of_restoration_go_back_as_that_notebook_does_and_another_rule_is_a_switch() -> None:
    assert {row for row, variants in table().items() if variants["code"].backtrack_rule == "restoration"} == {
        "inpainting",
        "restoration_98",
    }
    problem = posed(task="inpainting")
    assert Backtracking(5.0, every=50) in dip().fit_settings(problem).tricks
    assert Backtracking(5.0) in dip(backtrack_rule="denoising").fit_settings(problem).tricks
    assert Backtracking(5.0, every=50) in dip(backtrack_rule="restoration").fit_settings(posed()).tricks


def test_the_camera_ready_restoration_is_that_of_today_on_the_pytorch_of_its_day() -> None:
    """Commit f031b08, which made Table 1."""
    assert {row for row, variants in table().items() if "camera_ready" in variants} == {"inpainting", "restoration_98"}
    for row in ("inpainting", "restoration_98"):
        then = {"align_corners": True, "batch_norm_start": "uniform", "adam_epsilon": "uncorrected"}
        assert table()[row]["camera_ready"] == replace(table()[row]["code"], **then)
    settings = dip(variant="camera_ready").fit_settings(posed(task="inpainting"))
    assert Backtracking(5.0, every=50) in settings.tricks
    assert (settings.iterations, settings.optimiser.epsilon) == (11000, "uncorrected")


def test_the_paper_quotes_1800_iterations_for_denoising_and_nothing_else_that_differs() -> None:
    changed = {row: variants["paper"] for row, variants in table().items() if variants["paper"] != variants["code"]}
    assert set(changed) == {"denoising"}
    assert changed["denoising"] == replace(table()["denoising"]["code"], iterations=1800)
    assert dip(preset="denoising", variant="paper").fit_settings(posed()).iterations == 1800
    assert dip(variant="paper").fit_settings(posed()).iterations == 1800


def test_first_release_walks_the_weights_of_the_library_networks() -> None:
    walking = {row for row in table() if table()[row].get("first_release", table()[row]["code"]).weight_noise}
    holes = {"inpainting_library", "inpainting_library_depth4", "inpainting_library_depth2"}
    assert walking == holes | {"activation_maximization", "activation_maximization_class"}
    settings = dip(preset="inpainting_library", variant="first_release").fit_settings(posed())
    assert settings.tricks[0] == WeightNoise(1 / 50)


@pytest.mark.parametrize(
    ("task", "row"),
    [
        ("denoising", "denoising"),
        ("inpainting", "inpainting"),
        ("super_resolution", "super_resolution"),
        ("super_resolution[factor=2]", "super_resolution"),
        ("super_resolution[factor=8]", "super_resolution_x8"),
        ("jpeg", "jpeg"),
        ("flash", "flash_no_flash"),
        ("enhancement", "enhancement"),
        ("deblurring[kernel=uniform]", "deblurring"),
    ],
)
def test_row_is_chosen_by_the_problem(photo: Tensor, task: str, row: str) -> None:
    problem = registry.build("task", task).degrade(Scene(photo), Streams(0))
    assert dip().row(problem) == row
    assert dip().resolved(problem)["preset"] == row
    assert dip(preset="inpainting_text").row(problem) == "inpainting_text"


def test_refuses_in_words_what_has_no_settings() -> None:
    assert "has no settings for deraining: name another row" in dip().refuses(posed(task="deraining"))
    assert dip(preset="denoising").refuses(posed(task="deraining")) is None
    taken = "it takes code, paper, camera_ready"
    reason = dip(variant="first_release").refuses(posed(task="inpainting"))
    assert reason == f"the row 'inpainting' of dip.toml has no variant 'first_release': {taken}"
    unguided = replace(posed(), guide=None)
    assert "a second picture of the scene" in dip(preset="flash_no_flash").refuses(unguided)


def test_the_page_of_settings_shows_the_table_as_it_is() -> None:
    shown: dict[str, list[str]] = {}
    for line in (Path(__file__).parents[2] / "docs" / "settings.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            shown.setdefault(cells[0].strip("`"), cells)
    for row, variants in table().items():
        code = variants["code"]
        fit_shown = [str(code.iterations), f"{code.learning_rate:g}", f"{code.jitter:.3g}", str(code.backtrack)]
        assert shown[row][2:6] == fit_shown
        assert shown[row][-1].replace(",", "") == str(official_networks()[NETWORKS[row]].parameters)


def test_denoising_keeps_the_output_that_the_paper_quotes() -> None:
    assert {row for row, variants in table().items() if variants["code"].keep} == {"denoising", "enhancement"}
    assert dip(preset="denoising").fit_settings(posed()).keep == (1800,)


def test_the_classifier_sees_the_top_left_of_a_larger_output() -> None:
    problem = posed(side=224)
    net, z = network(dip(preset="inversion"), problem)
    assert z.shape == (1, 32, 256, 256)
    with torch.no_grad():
        whole, corner = net.network(z), net(z)
        assert torch.equal(corner, whole[..., :224, :224])
        centre, _ = network(dip(preset="inversion", window="centre"), problem)
        assert torch.equal(centre(z), whole[..., 16:240, 16:240])


def test_heavy_noise_falls_in_the_steps_of_the_appendix() -> None:
    (trick,) = dip(preset="inversion_heavy_noise").fit_settings(posed()).tricks
    assert trick == SteppedJitter(10.0, ((10_000, 2.0), (15_000, 0.5)))
    written = registry.build("method", "dip[preset=inversion_heavy_noise,later_jitter=[[3,0.5]],jitter=0.0]")
    assert written.fit_settings(posed()).tricks == (SteppedJitter(0.0, ((3, 0.5),)),)
