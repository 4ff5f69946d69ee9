"""Each file of a store in turn cut short, filled with zeros, removed, or in place of its namesake of another run.

After each, `run` and `report` must end with words about the file, or as if nothing had happened; no number or picture
of a run may be told as another's; and after `run` the store must be as undisturbed.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from judging import Judge, Verdict
from served import Commands, Ended, Order
from small_store import SmallStore


def _cut_to(part: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(part * (len(content) - 1))]


HOW: dict[str, Callable[[bytes], bytes | None]] = {
    "empty": _cut_to(0),
    "half of it": _cut_to(0.5),
    "without its last byte": _cut_to(1),
    "zeros": lambda content: bytes(len(content)),
    "removed": lambda content: None,
}
"""What becomes of the content of a file; None: it is not there."""

SWAPPED = "that of another run"


@dataclass(frozen=True)
class Spoilt:
    """A file and what was done to it, and what came of that."""

    file: str
    how: str
    ended: tuple[Ended, ...]  # of `report`, `run`, `run` again
    verdict: Verdict
    complaints: tuple[str, ...]

    @property
    def messages(self) -> list[str]:
        """What a person reads."""
        return [each.message for each in self.ended]


def files_of(store: Path) -> list[str]:
    """All but what is made anew whenever it is shown."""
    found = (path.relative_to(store).as_posix() for path in sorted(store.rglob("*")) if path.is_file())
    return [name for name in found if not name.startswith(("report/", "index.parquet"))]


def spoil(store: Path, file: str, how: str) -> bool:
    """Does it to a file; False: there is no namesake of it to swap it with."""
    path = store / file
    if how != SWAPPED:
        content = HOW[how](path.read_bytes())
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        return True
    others = [other for other in path.parent.parent.glob(f"*/{path.name}") if other.parent.name != path.parent.name]
    if len(path.relative_to(store).parts) < 3 or not others:
        return False
    shutil.copyfile(others[0], path)
    return True


def tries(small: SmallStore, of: Path, do: Commands, hows: tuple[str, ...], files: list[str]) -> Iterator[Spoilt]:
    """Each of `files` of a store, spoilt in each of these ways."""
    judge = Judge(small.whole)
    for file in files:
        for how in hows:
            out = small.copy(of)
            if not spoil(out, file, how):
                continue
            before = {key: run for key, run in judge.ended(out).items() if key not in file}
            ended = [do(Order(words)) for words in (("report", str(out)), small.run(out))]
            if file == "store.json" and ended[-1].status == 2:  # which a person writes again, as the message says
                shutil.copyfile(of / file, out / file)
            ended.append(do(Order(small.run(out))))
            verdict = judge.verdict(out, before)
            yield Spoilt(file, how, tuple(ended), verdict, tuple(_complaints(out, small.whole, ended)))


def _complaints(out: Path, whole: Path, ended: Sequence[Ended]) -> Iterator[str]:
    for each in ended:
        if "Traceback" in each.said:
            yield "a traceback"
        if each.status not in (0, 2):
            yield f"its exit status was {each.status}"
    if ended[-1].status:
        yield f"run ended with {ended[-1].status} the second time: {ended[-1].message}"
    spoilt = [
        path
        for path in (out / "problems").rglob("*.png")
        if path.read_bytes() != (whole / path.relative_to(out)).read_bytes()
    ]
    if spoilt and not any(spoilt[0].name in each.said for each in ended):
        yield f"nothing is said of {spoilt[0].name}, which is still other than it was"
