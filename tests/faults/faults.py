"""What happens to disks, files, copies and clocks, and what becomes of the runs: the long form, as a table.

    python tests/faults/faults.py > results/reference/faults/faults.csv

Takes a C compiler, for calls of the system that fail. The exit status is 1 where anything went wrong.
"""

import csv
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Protocol

import clocks
import copies
import failing_disk
import spoilt_files
import typer
from judging import Verdict
from served import Commands
from small_store import SmallStore


class Tried(Protocol):
    """What came of a fault."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def complaints(self) -> tuple[str, ...]: ...
    @property
    def messages(self) -> list[str]: ...


@dataclass(frozen=True)
class Row:
    """A fault, how often it was tried, and how many runs were lost, computed twice or other than undisturbed."""

    fault: str
    tries: int
    lost: int
    twice: int
    other: int
    complaints: int  # about how a command ended, or what it said
    message: str  # the most frequent


def row(fault: str, tries: Iterable[Tried], folder: Path) -> Row:
    """Sums up the tries of a fault; what went wrong is told as it happens."""
    all_of_it, said = list[Tried](), Counter[str]()
    for each in tries:
        all_of_it.append(each)
        said.update(_plain(message, folder) for message in each.messages if message)
        if each.complaints or each.verdict != Verdict(0, 0, 0):
            print(f"{fault}: {each}", file=sys.stderr, flush=True)
    verdicts = [each.verdict for each in all_of_it]
    lost, twice, other = (sum(getattr(verdict, what) for verdict in verdicts) for what in ("lost", "twice", "other"))
    complaints = sum(len(each.complaints) for each in all_of_it)
    return Row(fault, len(all_of_it), lost, twice, other, complaints, next(iter(dict(said.most_common(1))), ""))


def _plain(message: str, folder: Path) -> str:
    """Without what is another each time."""
    return message.replace(f"{folder}/", "").removeprefix("dipbench: ")


def faults(small: SmallStore, do: Commands, every: int) -> Iterator[tuple[str, Iterable[Tried]]]:
    """Each kind of fault, and its tries, which are made as they are asked for; of many every so manieth."""
    for fault in failing_disk.FAULTS:
        step = every * (10 if fault.command == "report" else 1)
        calls = range(1, failing_disk.calls_of(fault, small, do) + 1, step)
        yield f"{fault.name}: {fault.command}", failing_disk.tries(fault, small, do, calls)
    for how in (*spoilt_files.HOW, spoilt_files.SWAPPED):
        for of in (small.computed, small.half):
            files = spoilt_files.files_of(of)[::every]
            yield f"a file, {how}: {of.name}", spoilt_files.tries(small, of, do, (how,), files)
    for passes in (1, 2):
        delays = [0.02 * number for number in range(0, 40, every)]
        yield f"copied in use, {passes} passes", copies.tries(small, do, delays, passes)
    for what in clocks.WHAT:
        yield f"the clock {what}", clocks.tries(small, do, what)


def main(
    every: Annotated[int, typer.Option(help="Of the calls of a command, and of the files.")] = 1,
    only: Annotated[str, typer.Option(help="Faults whose names begin so.")] = "",
) -> None:
    """Prints the table; exit status 1 where anything went wrong."""
    table, wrong = csv.DictWriter(sys.stdout, [field.name for field in fields(Row)], lineterminator="\n"), False
    table.writeheader()
    with tempfile.TemporaryDirectory(prefix="dipbench-faults-") as place, Commands(Path(place)) as do:
        small = SmallStore(Path(place), do)
        for name, tries in faults(small, do, every):
            if name.startswith(only):
                table.writerow(asdict(found := row(name, tries, small.folder)))
                sys.stdout.flush()
                wrong |= bool(found.lost or found.twice or found.other or found.complaints)
    raise typer.Exit(int(wrong))


if __name__ == "__main__":
    typer.run(main)
