"""No picture at all: a scene of which there is nothing, for tasks that make a picture of an aim of their own."""

from dataclasses import dataclass
from typing import ClassVar

from dipbench.contract import Dataset


@dataclass(frozen=True)
class Nothing(Dataset):
    """One scene, without a picture."""

    empty: ClassVar[bool] = True

    def names(self) -> list[str]:
        return ["nothing"]
