"""docs/suites.md says every key that the file of a suite or of an agenda may have, and no other."""

import re
import tomllib
from pathlib import Path

import pytest
from pages import DOCS
from pydantic import BaseModel

from dipbench.published import Published
from dipbench.suites.agenda import Entry, parts_of
from dipbench.suites.edits import Choices
from dipbench.suites.suite import Experiment, Scoring, Smoke, Suite

PAGE = DOCS / "suites.md"

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation lies in a checkout")


def tables() -> list[set[str]]:
    """The keys of each table of the page, those of a row that has two among them."""
    found = re.findall(r"^\| key .*\n\| ---.*\n((?:\|.*\n)+)", PAGE.read_text(), re.MULTILINE)
    return [{key for row in rows.splitlines() for key in re.findall("`(.*?)`", row.split("|")[1])} for rows in found]


def examples() -> list[str]:
    return re.findall("^```toml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_every_key_is_there_and_no_other() -> None:
    models: list[type[BaseModel]] = [Suite, Experiment, Scoring, Published, Smoke, Entry]
    keys = [set(model.model_fields) for model in models]
    keys[0] ^= {"defaults", "scale"}  # what is in the file alone, and in the record alone
    assert tables() == keys


@pytest.mark.usefixtures("paper_data")
def test_the_suite_and_the_agenda_can_be_planned(tmp_path: Path) -> None:
    whole = [text for text in examples() if "title" in tomllib.loads(text)]
    counts = []
    for text in whole:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        counts.append(sum(len(part.jobs) for part in parts_of(str(path), Choices(), None, "float32")))
    assert counts == [4 * (3 + 3 + 4), 2]


def test_the_parts_of_a_suite_are_what_a_suite_takes() -> None:
    parts = [tomllib.loads(text) for text in examples()]
    (scoring,) = (each["experiments"][0]["protocol"] for each in parts if "protocol" in str(each))
    (published,) = (each["experiments"]["published"] for each in parts if "published" in str(each))
    assert Scoring.model_validate(scoring).border == (4, 4)
    assert Published.model_validate(published).rows
