"""What a user asks of a suite beside its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dipbench.suites.jobs import image_names
from dipbench.suites.suite import Suite, at_smoke_scale, narrowed, read_suite, with_data, with_methods, with_setting


@dataclass(frozen=True)
class Choices:
    """The words of the command line."""

    only: Sequence[str] = ()  # words that an experiment, task, data set, image or method must match, one after another
    methods: Sequence[str] = ()  # added to every experiment
    data: Path | None = None  # a folder of images in place of the suite's
    settings: Sequence[str] = ()  # name.setting=value
    scale: Literal["full", "smoke"] = "full"  # smoke: few iterations on small images


def chosen(name: str, choices: Choices) -> Suite:
    """The suite of that name, or in that file, as the user wants it."""
    suite = with_methods(read_suite(name), list(choices.methods))
    if choices.data:
        suite = with_data(suite, choices.data)
    if choices.scale == "smoke":
        suite = at_smoke_scale(suite, image_names)
    for assignment in choices.settings:
        suite = with_setting(suite, assignment)
    for pattern in choices.only:
        suite = narrowed(suite, pattern, image_names)
    return suite
