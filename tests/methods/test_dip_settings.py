"""The table of settings of Deep Image Prior: every row, in each of its variants, and what is set on top."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from stepping import fit
from torch import Tensor, nn

from dipbench import registry
from dipbench.contract import FitSettings, Prior, Problem, Scene
from dipbench.errors import UserError
from dipbench.fit.tricks import Backtracking, Jitter, SteppedJitter, WeightNoise
from dipbench.nets import official, official_networks
from dipbench.operators import Identity
from dipbench.optimisers import SGD, Adam
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


def posed(channels: int = 3, side: int = 192, task: str = "denoising") -> Problem:
    image = torch.rand((channels, side, side), generator=torch.Generator().manual_seed(0))
    return Problem(task, image, Identity(), (channels, side, side), guide=image)


def dip(**settings: Any) -> Any:
    return registry.find("method", "dip")(**settings)


def network(prior: Prior, problem: Problem) -> tuple[nn.Module, Tensor]:
    rng = Streams(0)
    with rng.seeded("weights"):
        return prior.build(problem, rng)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


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


def tricks_of(settings: FitSettings) -> tuple[float, float | None, float]:
    """Deviation of the jitter, drop of the backtracking or None, fraction of the weight noise."""
    jitter, drop, fraction = 0.0, None, 0.0
    for trick in settings.tricks:
        match trick:
            case Jitter():
                jitter = trick.deviation
            case Backtracking():
                drop = trick.drop
            case WeightNoise():
                fraction = trick.fraction
    return jitter, drop, fraction


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
    reason = dip(variant="first_release").refuses(posed(task="inpainting"))
    assert reason == "the row 'inpainting' of dip.toml has no variant 'first_release': it takes code, paper"
    unguided = replace(posed(), guide=None)
    assert "a second picture of the scene" in dip(preset="flash_no_flash").refuses(unguided)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dip[preset=denoise]", "unknown preset of dip 'denoise': did you mean 'denoising'?"),
        ("dip[preset=inpainting,variant=first_release]", "no variant 'first_release': it takes code, paper"),
        ("dip[variant=supplement]", "got 'supplement'"),
        ("dip[weight_noise=-1]", "weight_noise must be greater than or equal to 0, got -1"),
        ("dip[jitter=-1]", "jitter must be greater than or equal to 0, got -1"),
    ],
)
def test_a_wrong_setting_is_named(spec: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        registry.build("method", spec)
    assert message in str(error.value)


def test_settings_with_an_entry_a_scale_must_agree() -> None:
    with pytest.raises(UserError, match="down has 2 entries and up has 3, down_kernel has 4: give each one per scale"):
        dip(down=(8, 8), up=(8, 8, 8), down_kernel=(3, 3, 3, 3)).recipe(posed())


def test_a_shorter_encoder_takes_the_first_entries_of_the_row() -> None:
    recipe = registry.build("method", "dip[down=[8,8],iterations=6]").recipe(posed())
    assert (recipe.down, recipe.up, recipe.skip, recipe.iterations) == ((8, 8), (8, 8), (4, 4), 6)
    flash = registry.build("method", "dip[preset=flash_no_flash,down=[8,8,8]]").recipe(posed())
    assert flash.upsampling == ("nearest", "nearest", "bilinear")
    longer = registry.build("method", "dip[preset=jpeg,down=[8,8,8,8,8,8]]").recipe(posed())
    assert longer.skip == (0, 0, 0, 4, 4, 0)


def test_settings_given_override_the_row() -> None:
    given = "down_kernel=[7,7,5,5,3],skip_kernel=3,upsampling=bilinear,backtrack=never,average=0"
    prior = registry.build("method", f"dip[preset=inpainting_text,{given}]")
    recipe = prior.recipe(posed())
    assert (recipe.down_kernel, recipe.skip_kernel, recipe.upsampling) == ((7, 7, 5, 5, 3), 3, "bilinear")
    assert (tricks_of(prior.fit_settings(posed()))[1], prior.fit_settings(posed()).average) == (None, 0.0)
    assert (dip().fit_settings(posed()).starts, dip(starts=2).fit_settings(posed()).starts) == (1, 2)
    kernels = [p.shape[-1] for p in network(prior, posed())[0].parameters() if p.ndim == 4]
    assert kernels[:3] == [3, 7, 7]


def test_batch_norms_start_at_1_or_uniformly_and_the_kernels_do_not_notice() -> None:
    problem = posed(side=32)
    tiny = registry.find("method", "dip").tiny()
    uniform = replace(tiny, batch_norm_start="uniform")
    ones, first, again = (network(prior, problem)[0] for prior in (tiny, uniform, uniform))
    for a, b, c in zip(ones.modules(), first.modules(), again.modules(), strict=True):
        if isinstance(a, nn.BatchNorm2d):
            assert (a.weight == 1).all()
            assert ((b.weight >= 0) & (b.weight < 1)).all()
            assert b.weight.unique().numel() == b.weight.numel()
            assert torch.equal(b.weight, c.weight)
            assert not b.bias.any()
        elif isinstance(a, nn.Conv2d):
            assert torch.equal(a.weight, b.weight)


def test_align_corners_is_a_switch_of_the_method() -> None:
    problem = posed(side=32)
    tiny = registry.find("method", "dip").tiny()
    plain, aligned = (
        next(fit(prior, problem, Streams(0))).estimate.clone() for prior in (tiny, replace(tiny, align_corners=True))
    )
    assert not torch.equal(plain, aligned)


def test_flash_picture_is_the_input_in_the_centre_of_its_padding() -> None:
    image = torch.rand(3, 45, 50)
    problem = Problem("flash_no_flash", image, Identity(), (3, 45, 50), guide=image.flip(0))
    prior = dip(down=(8, 8), preset="flash_no_flash", iterations=1)
    z = network(prior, problem)[1]
    assert z.shape == (1, 3, 48, 52)
    assert torch.equal(z[0, :, 1:46, 1:51], image.flip(0))
    assert next(fit(prior, problem, Streams(0))).estimate.shape == (3, 45, 50)
    assert problem.to(torch.device("cpu")).guide is problem.guide


@pytest.mark.parametrize(("down_kernel", "least"), [("3", 5), ("[7,3]", 5), ("[3,7]", 13), ("9", 17)])
def test_size_is_refused_where_reflection_has_too_few_pixels(down_kernel: str, least: int) -> None:
    prior = registry.build("method", f"dip[down=[8,8],down_kernel={down_kernel}]")
    net, z = network(prior, posed(side=least))
    with torch.no_grad():
        assert net(z).shape == (1, 3, least, least)
    with pytest.raises(UserError, match=f"sides of at least {least} pixels"):
        network(prior, posed(side=least - 1))


@pytest.mark.parametrize(
    ("method", "name"), [("dip_unet", "inpainting_library_unet"), ("dip_resnet", "inpainting_library_resnet")]
)
def test_other_networks_of_the_paper_have_their_official_settings(method: str, name: str) -> None:
    problem = posed(side=64)
    prior = registry.build("method", method)
    net, z = network(prior, problem)
    assert [p.shape for p in net.parameters()] == [p.shape for p in official(name).parameters()]
    assert count(net) == official_networks()[name].parameters
    assert z.shape == (1, 1, 64, 64)
    settings = prior.fit_settings(problem)
    assert (settings.iterations, settings.optimiser, settings.tricks) == (3001, Adam(0.001), ())


def test_unet_takes_odd_sizes_and_says_what_to_set_for_small_ones() -> None:
    prior = registry.build("method", "dip_unet[feature_scale=32]")
    net, z = network(prior, posed(side=45))
    assert z.shape == (1, 1, 64, 64)
    with torch.no_grad():
        assert net(z).shape == (1, 3, 45, 45)
    with pytest.raises(
        UserError, match=r"at least 33 pixels, or fewer scales \(dip_unet\[extra_levels=0\]: it has 1\)"
    ):
        network(prior, posed(side=32))


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


@pytest.mark.parametrize(
    ("norm", "kind", "without"),
    # the tiny network has 9 norms of 8 channels and 10, and 2 of 2 channels, each with a scale and an offset a channel
    [
        ("batch", nn.BatchNorm2d, 0),
        ("group", nn.GroupNorm, 0),
        ("instance", nn.GroupNorm, 2 * (8 * 8 + 2 * 10 + 2 * 2)),
    ],
)
def test_norm_is_a_switch_of_every_layer(norm: str, kind: type[nn.Module], without: int) -> None:
    tiny = registry.find("method", "dip").tiny()
    batch, other = (network(prior, posed(side=32))[0] for prior in (tiny, replace(tiny, norm=norm)))
    norms = [m for m in other.modules() if isinstance(m, (nn.BatchNorm2d, nn.GroupNorm))]
    assert {type(module) for module in norms} == {kind}
    assert len(norms) == 12
    assert count(batch) - count(other) == without


def test_group_norm_has_four_groups_or_as_many_as_divide_the_channels() -> None:
    net, _ = network(replace(registry.find("method", "dip").tiny(), norm="group"), posed(side=32))
    groups = {(m.num_channels, m.num_groups) for m in net.modules() if isinstance(m, nn.GroupNorm)}
    assert groups == {(8, 4), (10, 2), (2, 2)}


def test_without_a_sigmoid_outputs_leave_0_to_1_and_are_clipped_for_scoring() -> None:
    problem = posed(side=32)
    plain = replace(registry.find("method", "dip").tiny(), sigmoid=False)
    net, z = network(plain, problem)
    with torch.no_grad():
        output = net(z)[0]
    assert output.min() < 0
    assert plain.fit_settings(problem).clip
    assert not registry.find("method", "dip").tiny().fit_settings(problem).clip
    step = next(fit(replace(plain, jitter=0.0), problem, Streams(0)))
    assert torch.allclose(step.estimate, output.clamp(0, 1), atol=1e-6)
    assert float(step.loss) == pytest.approx(float((output - problem.measurement).square().mean()), rel=1e-5)


def test_optimiser_is_adam_or_plain_descent() -> None:
    assert dip(optimiser="sgd", learning_rate=2.0).fit_settings(posed()).optimiser == SGD(2.0)
    assert dip(optimiser="adam").fit_settings(posed()).optimiser == Adam(0.01)


def test_settings_that_came_later_are_named_only_where_they_change_something() -> None:
    later = {
        "norm": "group",
        "sigmoid": False,
        "optimiser": "sgd",
        "window": "corner",
        "later_jitter": ((5, 0.1),),
        "backtrack_rule": "restoration",
    }
    usual = {"norm": "batch", "sigmoid": True, "optimiser": "adam", "window": "centre", "later_jitter": ()}
    defaults = dip(**usual, backtrack_rule="denoising")
    assert dip().resolved(posed()) == defaults.resolved(posed())
    assert not set(later) & (set(dip().settings()) | set(dip().resolved(posed())))
    for name, value in later.items():
        assert dip(**{name: value}).resolved(posed()) == {**dip().resolved(posed()), name: value}


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
