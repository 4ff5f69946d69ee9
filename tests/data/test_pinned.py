"""A file of weights is pinned as images are: a row of a table, and no more code."""

import hashlib
from pathlib import Path

import pytest
import torch

from dipbench.data.pinned import PinnedFile, read_files
from dipbench.errors import UserError

COLUMNS = ("name", "file", "bytes", "sha256", "repo", "commit", "path", "licence")
WORDS = ("file of weights 'tiny'", "fetch them")


@pytest.fixture(params=["tiny.pt", "tiny.pth"])
def weights(served: Path, request: pytest.FixtureRequest) -> PinnedFile:
    """Weights of one layer at the source, and the only row of a table."""
    source = served / "source" / "owner" / "name" / "c0" / request.param
    torch.save(torch.nn.Conv2d(3, 2, 1).state_dict(), source)
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    row = ("tiny", f"made/{request.param}", str(len(content)), digest, "owner/name", "c0", request.param, "CC0")
    (served / "made.csv").write_text(",".join(COLUMNS) + "\n" + ",".join(row) + "\n")
    (file,) = read_files(served / "made.csv", PinnedFile)
    return file


def test_weights_are_fetched_verified_and_loaded(weights: PinnedFile, served: Path) -> None:
    weights.fetch()
    path = weights.verified(*WORDS)
    assert path == served / "cache" / weights.file
    assert path.stat().st_size == weights.bytes
    layer = torch.nn.Conv2d(3, 2, 1)
    layer.load_state_dict(torch.load(path, weights_only=True))
    source = torch.load(served / "source" / "owner" / "name" / "c0" / weights.path, weights_only=True)
    assert torch.equal(layer.weight, source["weight"])


def test_weights_in_the_users_folder_come_first(weights: PinnedFile, served: Path) -> None:
    weights.fetch()
    (served / "folder" / "made").mkdir()
    mine = served / "folder" / weights.file
    mine.write_bytes((served / "cache" / weights.file).read_bytes())
    assert weights.verified(*WORDS) == mine
    mine.write_bytes(b"others")
    with pytest.raises(UserError, match=r"its sha256 is .*; take it out of that folder, then fetch them"):
        weights.verified(*WORDS)


def test_weights_that_are_missing_say_how_to_get_them(weights: PinnedFile) -> None:
    with pytest.raises(UserError) as error:
        weights.verified(*WORDS)
    mend = f"fetch them, or point DIPBENCH_DATA to a folder that has {weights.file}"
    assert str(error.value) == f"file of weights 'tiny' is not here: {mend}"


def test_other_weights_at_the_source_are_refused(weights: PinnedFile, served: Path) -> None:
    (served / "source" / "owner" / "name" / "c0" / weights.path).write_bytes(b"others")
    with pytest.raises(UserError, match=f"cannot fetch '{weights.path}'.*its sha256 is .*, expected {weights.sha256}"):
        weights.fetch()
    assert weights.copy() is None
