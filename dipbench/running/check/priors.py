"""What a prior must do beside what any method must."""

import io
from functools import partial

import torch
from torch import Tensor, nn

from dipbench.contract import Prior, Problem
from dipbench.errors import located
from dipbench.fit import built
from dipbench.running.check.trial_runs import STEPS, began, ended
from dipbench.running.check.trying import Try
from dipbench.streams import Streams


def checks(prior: Prior, problem: Problem) -> list[Try]:
    """Those on a problem that it takes."""
    return [
        ("its input is drawn from `rng`", partial(_draws_its_input, prior, problem)),
        ("it is fitted on any device", partial(_follows_the_device, prior, problem)),
        ("it is fitted in double precision", partial(_follows_the_type, prior, problem)),
        ("it goes on from a checkpoint as if it had not stopped", partial(_resumes, prior, problem)),
    ]


def _built(prior: Prior, problem: Problem, elsewhere: int = 0) -> tuple[nn.Module, Tensor]:
    """What it builds; the global generators are those of another seed."""
    with Streams(elsewhere).seeded("weights"):
        return built(prior, problem, Streams(0))


def _draws_its_input(prior: Prior, problem: Problem) -> str:
    first, second = (_built(prior, problem, elsewhere)[1] for elsewhere in (1, 2))
    if torch.equal(first, second):
        return ""
    return (
        "its input comes of torch's, NumPy's or Python's global generator, as the weights do: draw it from a stream "
        'of its own, by noise_input(channels, size, rng) or generator=rng.torch("input")'
    )


def _follows_the_device(prior: Prior, problem: Problem) -> str:
    """On torch's device `meta`, which has shapes and no numbers, so that it is there on every machine."""
    elsewhere = torch.device("meta")
    try:
        there = problem.to(elsewhere)
        network, z = _built(prior, there)
        made = network.to(elsewhere)(z.to(elsewhere))
        loss = prior.loss(made, there)
    except (NotImplementedError, TypeError):  # it looks at numbers, and there are none
        return ""
    except RuntimeError as error:
        if "device" not in str(error):
            return ""  # an operation that `meta` has not
        return (
            f"on another device it fails: {located(error)}: make each tensor where the others are, with "
            "device=z.device or as a buffer of the network (register_buffer)"
        )
    places = {"output": made.device, "loss": loss.device}
    wrong = [f"its {name} is on {place}" for name, place in places.items() if place.type != "meta"]
    return f"on another device {' and '.join(wrong)}: leave it where the input is" if wrong else ""


def _follows_the_type(prior: Prior, problem: Problem) -> str:
    network, z = _built(prior, problem)
    try:
        made = network.double()(z.double())
    except RuntimeError as error:
        return f"{located(error)}: make each tensor with dtype=z.dtype, or as a buffer of the network"
    if made.dtype == torch.float64:
        return ""
    return f"its output is of {made.dtype}: leave it in the type of the input, for the fit says the precision"


def _resumes(prior: Prior, problem: Problem) -> str:
    """Through a file, as a fit that was killed."""
    most = min(STEPS, prior.fit_settings(problem).iterations)
    if most < 2:
        return ""
    whole, again = began(prior, problem), began(prior, problem)
    whole.advance()
    file = io.BytesIO()
    torch.save(whole.state(), file)
    file.seek(0)
    again.load(torch.load(file, weights_only=True))
    first, second = ended(whole, most), ended(again, most)
    images = zip(first.outputs, second.outputs, strict=True)
    if first.trace["loss"].equals(second.trace["loss"]) and all(torch.equal(a.image, b.image) for a, b in images):
        return ""
    return (
        "after a checkpoint it goes on otherwise: it remembers something that no checkpoint has; keep it in a buffer "
        "of the network (register_buffer), in the memory of a trick, or in the `state` of an optimiser of its own"
    )
