"""What is set of Deep Image Prior on top of its table, each switch of it, and the networks beside its own."""

from dataclasses import replace

import pytest
import torch
from of_dip import count, dip, network, posed, tricks_of
from stepping import fit
from torch import nn

from dipbench import registry
from dipbench.contract import Problem
from dipbench.errors import UserError
from dipbench.nets import official, official_networks
from dipbench.operators import Identity
from dipbench.optimisers import SGD, Adam
from dipbench.streams import Streams


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dip[preset=denoise]", "unknown preset of dip 'denoise': did you mean 'denoising'?"),
        ("dip[preset=inpainting,variant=first_release]", "'first_release': it takes code, paper, camera_ready"),
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
