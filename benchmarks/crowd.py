"""What many processes on one store ask of its file server, simulated: a million runs, a thousand processes.

python benchmarks/crowd.py
python benchmarks/crowd.py --runs 10000 --processes 100 --seconds 60

`shared`: the same command on every machine. Each process plans the whole suite, walks over its list, takes the lease of
the first run that nobody has, computes it, and goes on from there; then it waits for those that others have, and at the
end it reads all that is in the store, for the index. `dealt`: an executor gives each process its runs, and one command
plans, watches and reads. The server answers one operation after another. How many a step takes was counted
(docs/scale.md).
"""

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
import pandas as pd
import typer

from dipbench.running.others import MOST_POLLS, POLL_SECONDS, WATCHED
from dipbench.store.leases import BEAT_SECONDS

OUT = Path(__file__).parent.parent / "results" / "reference" / "scale" / "crowd.csv"

ABSENT = 1  # operations to see that a run is not in the store
DONE = 14  # to read one that is
LEASE = 9  # to take a lease and end it
BEAT = 3  # to show that its owner is there
LISTING = 4  # to list the leases of up to a thousand runs
LOOK = 4  # to read one of them, and see that it is the last of its run
RESULT = 45  # to put a run into the store, six of them `fsync`
SPREAD = 0.5  # of the logarithm of a run's seconds

Way = Literal["shared", "dealt"]


@dataclass
class Server:
    """Answers operations one after another, and counts them by what they are for."""

    rate: float  # operations a second
    latency: float  # seconds between asking and being answered where nobody else asks
    free: float = 0.0  # when it has answered all
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, now: float, what: str, operations: float) -> float:
        """When so many operations are answered, one asked for after another, that begin now."""
        self.asked[what] += round(operations)
        self.free = max(self.free, now) + operations / self.rate
        return max(now + operations * self.latency, self.free)


def simulate(way: Way, server: Server, runs: int, processes: int, seconds: float, seed: int = 0) -> float:
    """When the last of the processes is at its end, in seconds."""
    lengths = np.random.default_rng(seed).lognormal(math.log(seconds) - SPREAD**2 / 2, SPREAD, runs)
    shared, first_free, computed_until = way == "shared", 0, 0.0
    planned = [server.answer(0.0, "planning", runs * ABSENT) for _ in range(processes if shared else 1)]
    waiting = [(planned[number % len(planned)], False, 0) for number in range(processes)]
    heapq.heapify(waiting)
    at_work = 0
    while waiting:
        now, computed, place = heapq.heappop(waiting)  # of the list, where the process stands
        at_work -= computed
        if computed:
            looks = 0 if shared else DONE  # of who deals them
            ended = server.answer(now, "results", RESULT + looks)
            heapq.heappush(waiting, (ended, False, place + 1))
        elif first_free < runs:  # the first that nobody has when it sets out
            now = server.answer(now, "walking", (first_free - place) * DONE) if shared else now
            during = BEAT / BEAT_SECONDS + (0 if shared else ABSENT / POLL_SECONDS)  # operations a second
            begun = server.answer(now, "leases", LEASE + during * lengths[first_free])
            heapq.heappush(waiting, (begun + lengths[first_free], True, first_free))
            first_free, at_work = first_free + 1, at_work + 1
        elif shared and at_work:
            looked = server.answer(now, "waiting", LISTING + LOOK * min(at_work, WATCHED))
            heapq.heappush(waiting, (looked + MOST_POLLS * POLL_SECONDS, False, place))
        else:
            computed_until = max(computed_until, now)
    readers = processes if shared else 1
    return max([server.answer(computed_until, "reading", runs * DONE) for _ in range(readers)])


def main(
    runs: Annotated[list[int], typer.Option(help="Of the suite; several times.")] = [10_000, 100_000, 1_000_000],  # noqa: B006
    processes: Annotated[list[int], typer.Option(help="On one store; several times.")] = [100, 1000],  # noqa: B006
    seconds: Annotated[float, typer.Option(help="Of a run, the mean.")] = 600,
    rate: Annotated[float, typer.Option(help="Operations a second that the file server answers.")] = 10_000,
    latency: Annotated[float, typer.Option(help="Seconds of an operation that waits for no other.")] = 0.0005,
    out: Annotated[Path, typer.Option(help="The file of the table.")] = OUT,
) -> None:
    """Writes the table and prints it."""
    rows = []
    for number, many, way in product(runs, processes, get_args(Way)):
        server = Server(rate, latency)
        end, ideal = simulate(way, server, number, many, seconds), number * seconds / many
        millions = {f"{what}, million": round(count / 1e6, 2) for what, count in sorted(server.asked.items())}
        rows.append(
            {"way": way, "runs": number, "processes": many, "seconds a run": seconds}
            | {"hours": round(end / 3600, 1), "of them fits": round(ideal / 3600, 1)}
            | {"server busy": round(server.asked.total() / rate / end, 3)}
            | millions
        )
    table = pd.DataFrame(rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(out, index=False, lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
