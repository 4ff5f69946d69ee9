"""How much of known noise is not fitted. After Zhou et al., arXiv:1911.07185.

Only the idea is theirs: the paper was not at hand, so that its score may be another one.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import cosine_similarity

from dipbench.contract import Problem, Validation
from dipbench.trace.signals import Seen, Signal


@dataclass(frozen=True)
class Orthogonality(Signal):
    """The cosine between what the raw output leaves of the measurement and the pseudo-noise that was added to it.

    The definition is ours. What is left, y + w - A(output), holds structure at first, to which the white w is nearly
    orthogonal; then all of w beside the noise, where the cosine is highest; and less of it as w is fitted.
    """

    title: ClassVar[str] = "share of the pseudo-noise in what is removed"
    paper: ClassVar[str] = "arXiv:1911.07185"

    def refuses(self, problem: Problem, validation: Validation | None) -> str | None:
        if validation is None or validation.gives != "noise":
            return "no known noise is in what is fitted: set the fit's validation, as in dip[validation=pseudo_noise]"
        return None

    def measure(self, seen: Seen, memory: dict[str, Tensor]) -> Tensor:
        assert seen.apart is not None, "refused"
        removed = seen.problem.measurement - seen.problem.operator(seen.estimate)
        return cosine_similarity(removed.flatten(), seen.apart.measurement.flatten(), dim=0)
