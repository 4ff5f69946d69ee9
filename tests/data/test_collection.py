"""Data sets whose files lie elsewhere: found in a folder or the cache, verified, fetched; and the tables that ship."""

import hashlib
import tarfile
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

from dipbench import registry
from dipbench.cli.data import data
from dipbench.data.collection import Collection
from dipbench.data.loading import load
from dipbench.errors import UserError
from dipbench.images.files import centre_crop, to_pillow, write_image

CLASS = '''"""Made up, in {root}."""  # files of the same text are one module

from dataclasses import dataclass

from dipbench.data.collection import Collection


@dataclass(frozen=True)
class Made(Collection):
    """Made up."""

    licence = "none"
'''
COLUMNS = ["name", "file", "width", "height", "channels", "bytes", "sha256", "repo", "commit", "path", "licence"]
COLUMNS += ["source_sha256", "member", "mask_of"]
SHIPPED = [name for name in registry.names("dataset") if isinstance(registry.build("dataset", name), Collection)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class World:
    """A source with files, an empty folder of the user, an empty cache, and a data set of four entries.

    plain: a PNG. other: ours is a PNG, the source's a BMP. packed: a PNG in an archive. plain_mask: the mask of plain.
    """

    def __init__(self, root: Path, image: Tensor):
        self.root, self.image = root, image
        self.folder, self.cache = root / "folder", root / "cache"
        self.source = root / "source" / "owner" / "name" / "c0"
        (root / "ours").mkdir()
        self.mask = torch.zeros_like(image[:1])
        self.mask[:, 10:20, 5:30] = 1 / 255
        write_image(root / "ours" / "plain.png", image)
        write_image(root / "ours" / "other.png", image.flip(1))
        write_image(root / "ours" / "packed.png", image.flip(2))
        write_image(root / "ours" / "mask.png", self.mask)
        self.put("plain.png", self.source)
        self.put("mask.png", self.source)
        to_pillow(image.flip(1)).save(self.source / "other.bmp")
        self.archive("packed.png")
        self.write_table()

    def put(self, name: str, place: Path) -> None:
        """Copies one of our files."""
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes((self.root / "ours" / name).read_bytes())

    def archive(self, *names: str) -> None:
        with tarfile.open(self.source / "all.tar.gz", "w:gz") as opened:
            for name in names:
                opened.add(self.root / "ours" / "packed.png", name, filter=None)
                opened.members[-1].name = name

    def write_table(self) -> None:
        rows = [
            self.row("plain", "plain.png", "plain.png"),
            self.row("other", "other.png", "other.bmp", source_sha256=sha256(self.source / "other.bmp")),
            self.row(
                "packed",
                "packed.png",
                "all.tar.gz",
                source_sha256=sha256(self.source / "all.tar.gz"),
                member="packed.png",
            ),
            self.row("plain_mask", "mask.png", "mask.png", mask_of="plain"),
        ]
        (self.root / "made.csv").write_text("\n".join(",".join(row) for row in [COLUMNS, *rows]) + "\n")
        (self.root / "made.py").write_text(CLASS.format(root=self.root))

    def row(self, name: str, file: str, path: str, **more: str) -> list[str]:
        ours = self.root / "ours" / file
        channels = "1" if name == "plain_mask" else "3"
        facts = ["64", "64", channels, str(ours.stat().st_size), sha256(ours), "owner/name", "c0", path, "none"]
        return [name, f"made/{file}", *facts, *(more.get(column, "") for column in COLUMNS[-3:])]

    @property
    def spec(self) -> str:
        return str(self.root / "made.py")

    def made(self, settings: str = "") -> Collection:
        built: Collection = registry.build("dataset", f"{self.spec}{settings}")
        return built

    def fetch_all(self) -> None:
        for entry in self.made().wanted():
            entry.fetch()


@pytest.fixture
def world(served: Path, photo: Tensor) -> World:
    return World(served, photo)


def command(*words: str) -> Result:
    return CliRunner().invoke(data, words)


def test_image_is_read_from_the_users_folder(world: World) -> None:
    world.put("plain.png", world.folder / "made")
    assert torch.equal(load(world.made(), "plain").image, world.image)


def test_image_is_read_from_the_cache_without_a_folder(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIPBENCH_DATA")
    world.put("plain.png", world.cache / "made")
    assert torch.equal(load(world.made(), "plain").image, world.image)


def test_absent_image_says_how_to_get_it(world: World) -> None:
    with pytest.raises(UserError) as error:
        load(world.made(), "plain")
    assert str(error.value) == (
        "image 'plain' of made is not here: dipbench data fetch made, "
        "or point DIPBENCH_DATA to a folder that has made/plain.png"
    )


@pytest.mark.parametrize(
    ("place", "mend"),
    [
        ("folder", "take it out of that folder, then dipbench data fetch made"),
        ("cache", "dipbench data fetch made replaces it"),
    ],
)
def test_file_with_other_content_is_refused_with_both_checksums(world: World, place: str, mend: str) -> None:
    file = world.root / place / "made" / "plain.png"
    world.put("plain.png", file.parent)
    expected = sha256(file)
    write_image(file, 1 - world.image)
    with pytest.raises(UserError) as error:
        load(world.made(), "plain")
    assert (
        str(error.value)
        == f"'{file}' is not the expected file: its sha256 is {sha256(file)}, expected {expected}; {mend}"
    )


def test_folder_that_does_not_exist_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPBENCH_DATA", "nowhere")
    with pytest.raises(UserError, match=r"the folder of the data sets, is 'nowhere', which is not a folder"):
        load(world.made(), "plain")


def test_fetched_files_are_verified_and_read_alike(world: World) -> None:
    world.fetch_all()
    made = world.made()
    assert made.problems() == []
    assert made.places() == {"cache": 4}
    assert torch.equal(load(made, "plain").image, world.image)
    assert torch.equal(load(made, "other").image, world.image.flip(1))
    assert torch.equal(load(made, "packed").image, world.image.flip(2))
    assert sorted(file.name for file in (world.cache / "made").iterdir()) == [
        ".lock",
        "mask.png",
        "other.bmp",
        "packed.png",
        "plain.png",
    ]
    assert list(world.folder.iterdir()) == []


def test_source_format_and_ours_are_both_taken(world: World) -> None:
    """The pixels of Set14 come as PNG or as the BMP of the source."""
    (world.folder / "made").mkdir()
    (world.folder / "made" / "other.bmp").write_bytes((world.source / "other.bmp").read_bytes())
    assert torch.equal(load(world.made(), "other").image, world.image.flip(1))
    (world.folder / "made" / "other.bmp").unlink()
    world.put("other.png", world.folder / "made")
    assert torch.equal(load(world.made(), "other").image, world.image.flip(1))


def test_only_what_is_absent_or_wrong_in_the_cache_is_fetched(world: World) -> None:
    world.put("plain.png", world.folder / "made")
    world.put("mask.png", world.cache / "made")
    (world.cache / "made" / "mask.png").write_bytes(b"half")
    assert [entry.name for entry in world.made().wanted()] == ["other", "packed", "plain_mask"]
    world.fetch_all()
    assert world.made().wanted() == []


def test_wrong_file_in_the_users_folder_stops_fetching_and_stays(world: World) -> None:
    """Fetching could not help: the user's folder comes first and is never written to."""
    (world.folder / "made").mkdir()
    (world.folder / "made" / "plain.png").write_bytes(b"mine")
    with pytest.raises(UserError, match="take it out of that folder"):
        world.made().wanted()
    assert (world.folder / "made" / "plain.png").read_bytes() == b"mine"


def test_archive_with_a_path_that_climbs_out_leaves_nothing(world: World) -> None:
    world.archive("packed.png", "../../outside.png")
    world.write_table()
    entry = next(entry for entry in world.made().entries() if entry.name == "packed")
    before = {path for path in world.root.rglob("*") if not path.is_relative_to(world.cache / "archives")}
    with pytest.raises(UserError, match=r"is refused: its path '\.\./\.\./outside\.png' leads out of the folder"):
        entry.fetch()
    after = {path for path in world.root.rglob("*") if not path.is_relative_to(world.cache / "archives")}
    assert {path.relative_to(world.root).as_posix() for path in after - before} <= {"cache", "cache/made"}


def test_archive_with_another_file_of_the_name_leaves_nothing(world: World) -> None:
    write_image(world.root / "ours" / "packed.png", world.image)
    world.write_table()
    entry = next(entry for entry in world.made().entries() if entry.name == "packed")
    with pytest.raises(
        UserError, match=r"is not the expected file: its sha256 is .*; it is 'packed\.png' of '.*all\.tar\.gz'"
    ):
        entry.fetch()
    assert list((world.cache / "made").iterdir()) == []


def test_opaque_alpha_channel_that_is_known_of_is_dropped_without_a_word(world: World) -> None:
    image = to_pillow(world.image)
    image.putalpha(255)
    image.save(world.root / "ours" / "plain.png")
    world.write_table()
    table = (world.root / "made.csv").read_text().replace("plain.png,64,64,3", "plain.png,64,64,4")
    (world.root / "made.csv").write_text(table)
    world.put("plain.png", world.folder / "made")
    assert torch.equal(load(world.made(), "plain").image, world.image)


def test_mask_is_no_image_but_belongs_to_one(world: World) -> None:
    for file in ("mask.png", "plain.png", "other.png"):
        world.put(file, world.folder / "made")
    assert world.made().names() == ["plain", "other", "packed"]
    known = load(world.made(), "plain", ["known"]).known
    assert known is not None
    assert torch.equal(known, world.mask > 0)
    assert load(world.made(), "other", ["known"]).known is None


def test_absent_mask_says_how_to_get_it_where_it_is_taken(world: World) -> None:
    world.put("plain.png", world.folder / "made")
    assert torch.equal(load(world.made(), "plain").image, world.image)
    with pytest.raises(UserError, match="mask 'plain_mask' of made is not here: dipbench data fetch made"):
        load(world.made(), "plain", ["known"])


def test_mask_is_cut_and_reduced_with_its_image(world: World) -> None:
    for file in ("mask.png", "plain.png"):
        world.put(file, world.folder / "made")
    cropped = load(world.made("[crop=48]"), "plain", ["known"]).known
    assert cropped is not None
    assert torch.equal(cropped, centre_crop(world.mask > 0, 48, 48))
    reduced = load(world.made("[side=32]"), "plain", ["known"]).known
    assert reduced is not None
    assert reduced.shape == (1, 32, 32)
    assert abs(float(reduced.float().mean()) - float((world.mask > 0).float().mean())) < 0.01


def test_data_set_without_masks_has_none() -> None:
    assert load(registry.build("dataset", "photos"), "coffee", ["known"]).known is None


def test_command_fetches_then_finds_everything_here(world: World) -> None:
    first = command("fetch", world.spec)
    assert (first.exit_code, first.stdout) == (0, "made: 4 files fetched, 0 already here\n")
    assert command("fetch", world.spec).stdout == "made: 0 files fetched, 4 already here\n"
    verified = command("verify", world.spec)
    assert (verified.exit_code, verified.stdout) == (0, "made: 4 of 4 files right\n")


def test_command_names_each_file_that_is_wrong_and_ends_with_2(world: World) -> None:
    world.fetch_all()
    (world.cache / "made" / "plain.png").write_bytes(b"half")
    (world.cache / "made" / "other.bmp").unlink()
    result = command("verify", world.spec)
    assert result.exit_code == 2
    assert result.stdout == "made: 2 of 4 files right\n"
    wrong, absent = result.stderr.splitlines()
    assert "plain.png' is not the expected file" in wrong
    assert "image 'other' of made is not here" in absent


def test_command_takes_the_folder_as_an_option(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPBENCH_DATA", "nowhere")
    world.put("plain.png", world.root / "mine" / "made")
    result = command("verify", world.spec, "--data-dir", str(world.root / "mine"))
    assert result.stdout == "made: 1 of 4 files right\n"
    wrong = command("verify", world.spec, "--data-dir", str(world.root / "none"))
    assert str(wrong.exception).endswith("none', the folder of the data sets, is not a folder")


def test_command_without_names_verifies_what_is_here(world: World) -> None:
    result = command("verify")
    assert result.exit_code == 0
    assert result.stdout.startswith("no data set has a file here: dipbench data fetch NAME")
    file = world.folder / registry.build("dataset", SHIPPED[0]).entries()[0].file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half")
    result = command("verify")
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [SHIPPED[0]]


def test_command_lists_every_data_set_that_ships(world: World) -> None:
    lines = command("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [*SHIPPED, "weights"]
    for name, line in zip(SHIPPED, lines[1:-1], strict=True):
        built = registry.build("dataset", name)
        assert line.split()[1] == str(len(built.names()))
        assert f"{len(built.entries())} missing" in line
        assert line.endswith(built.licence)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("photos", "data set 'photos' has no files to fetch or verify: those that do are "),
        ("sett", "did you mean 'set"),
    ],
)
def test_command_refuses_what_cannot_be_fetched(name: str, message: str) -> None:
    result = command("fetch", name)
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_row_that_ships_says_what_the_file_is_and_where_it_is_from(name: str) -> None:
    built: Collection = registry.build("dataset", name)
    entries = built.entries()
    assert built.licence
    assert len({entry.name for entry in entries}) == len({entry.file for entry in entries}) == len(entries)
    for entry in entries:
        assert len(entry.sha256) == len(bytes.fromhex(entry.sha256)) * 2 == 64
        assert len(entry.commit) == len(bytes.fromhex(entry.commit)) * 2 == 40
        assert len(entry.repo.split("/")) == 2
        assert min(entry.width, entry.height, entry.bytes) > 0
        assert entry.channels in (1, 3, 4)
        assert entry.licence
        assert not entry.mask_of or entry.mask_of in built.names()
        assert Path(entry.fetched[0]).suffix == Path(entry.path).suffix
