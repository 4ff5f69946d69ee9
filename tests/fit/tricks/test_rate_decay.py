"""The falling learning rate beside torch's own schedule."""

import pytest
import torch
from scripted import PROBLEM
from torch import nn

from dipbench.contract import Fitting
from dipbench.fit.tricks import RateDecay
from dipbench.optimisers import SGD, Adam, Optimiser, RAdam


@pytest.mark.parametrize("optimiser", [SGD(0.1), Adam(0.1), RAdam(0.1)], ids=str)
def test_it_is_the_schedule_of_torch(optimiser: Optimiser) -> None:
    ours, theirs = (nn.Parameter(torch.linspace(-2, 3, 7)) for _ in range(2))
    trick, stepping, scheduled = RateDecay(0.5, 4), optimiser.over(ours, False), optimiser.over(theirs, False)
    schedule = torch.optim.lr_scheduler.StepLR(scheduled, step_size=4, gamma=0.5)
    fit = Fitting(nn.Identity(), ours, torch.zeros(1), torch.zeros(()), nn.Identity(), PROBLEM)
    memory = trick.memory(fit)
    for _ in range(15):
        for parameter in (ours, theirs):
            parameter.grad = None
            (parameter.square() + parameter.sin()).sum().backward()
        trick.after(fit, memory, torch.Generator())
        stepping.step()
        trick.stepped(fit, memory, torch.Generator())
        scheduled.step()
        schedule.step()
        torch.testing.assert_close(ours, theirs)
