"""`dipbench show`: what each setting takes, and which values act where none is given."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from dipbench import registry
from dipbench.cli.inventory import shown
from dipbench.contract import Fraction, NonNegativeInt, Plugin, PositiveInt, Rule, Weight
from dipbench.registry.allowed import allowed


def lines(name: str) -> dict[str, str]:
    """The first word of each line -> the rest."""
    return {line.split()[0]: " ".join(line.split()[1:]) for line in shown(name).splitlines() if line.strip()}


@pytest.mark.parametrize(
    ("name", "setting", "said"),
    [
        ("nlm", "patch_size", "= 5 side of the compared patches, pixels [integer > 0]"),
        ("dip", "variant", "[code, paper, first_release, camera_ready]"),
        ("dip", "iterations", "[integer > 0, or none]"),
        ("dip", "stop", "[a rule, or none]"),
        ("dip", "down", "[list of integer > 0, or none]"),
        ("dip", "average", "[number >= 0 and < 1, or none]"),
        ("wmv", "margin", "[number > 0 and <= 1]"),
        ("super_resolution", "factor", "[2, 3, 4, 8]"),
        ("denoising", "clip", "= true clip the noisy image to [0, 1], as the paper's code does [true, false]"),
    ],
)
def test_what_a_setting_takes_stands_behind_it(name: str, setting: str, said: str) -> None:
    assert lines(name)[setting].endswith(said)


@dataclass(frozen=True)
class All(Plugin):
    """Of every type."""

    a: PositiveInt | tuple[PositiveInt, ...] = 1
    b: Fraction | Literal["never"] = 0.5
    c: tuple[tuple[NonNegativeInt, Weight], ...] = ()
    d: list[str] | None = None
    e: Path | Rule | None = None
    f: bool = True


def test_every_type_has_words() -> None:
    assert allowed(All) == {
        "a": "integer > 0, or list of integer > 0",
        "b": "number > 0 and < 1, or never",
        "c": "list of [integer >= 0, number >= 0 and < 1]",
        "d": "list of text, or none",
        "e": "path, or a rule, or none",
        "f": "true, false",
    } | {name: words for name, words in allowed(All).items() if name not in "abcdef"}


PLUGINS = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_no_setting_is_described_in_python(kind: str, name: str) -> None:
    takes = allowed(registry.find(kind, name))
    for setting in registry.setting_names(kind, name):
        assert not any(sign in takes[setting] for sign in ("typing", "<class", "~", "ForwardRef")), takes[setting]


def test_values_of_every_row_are_shown_as_they_act() -> None:
    """The settings of the notebooks, github.com/DmitryUlyanov/deep-image-prior."""
    rows = lines("dip")
    usual, denoising = rows["unless"], rows["preset=denoising"]
    assert "learning_rate=0.01" in usual
    assert "input_channels=32" in usual
    assert denoising == "iterations=3000, jitter=0.03333333333333333, backtrack=5.0"
    assert rows["preset=denoising,variant=paper"].startswith("iterations=1800, ")
    assert rows["preset=jpeg,variant=paper"] == "as preset=jpeg"
    assert "skip=[0,0,0,4,4]" in rows["preset=jpeg"]
    assert "keep=" not in shown("dip"), "it is no setting"
    presets = registry.find("method", "dip").rows()
    assert len(presets) == len([row for row in rows if row.startswith("preset=")])


def test_what_a_method_changes_of_the_rows_is_shown() -> None:
    assert "skip=[0,0,0,0,0]" in lines("encoder_decoder")["unless"]


def test_values_of_every_task_are_shown() -> None:
    rows = lines("pip")
    assert rows["denoising"] == "learned=false, jitter=0.0, backtrack=2.0"
    assert rows["super_resolution[factor=8]"] == "iterations=4001, jitter=0.05"
    assert "super_resolution[factor=4]" not in lines("aseqdip"), "it refuses that"


def test_who_asks_for_nothing_known_is_told_where_to_look() -> None:
    with pytest.raises(Exception, match="unknown name 'zebra': 'dipbench list' prints those of methods, datasets, "):
        shown("zebra")
    with pytest.raises(Exception, match="unknown name 'DIP': did you mean 'dip'"):
        shown("DIP")
