"""What an experiment shows, in a sentence or two: who is best and how sure that is, and what not stopping costs.

Each is said of the numbers that the tables hold, in their digits, and nothing that they cannot show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dipbench.comparing.divergence import Divergence
from dipbench.comparing.paired import tie_width
from dipbench.comparing.ranking import Comparison
from dipbench.comparing.significance import LEVEL
from dipbench.comparing.stopping import NO_STOPPING
from dipbench.report.alike import alike_with
from dipbench.report.formats import MINUS, signed
from dipbench.report.standings import Standing, Standings
from dipbench.report.stops import Stops
from dipbench.scoring import METRICS
from dipbench.text import counted

MOST_NAMED = 3  # methods in a list
_TIE = tie_width(METRICS["psnr"])  # dB


@dataclass(frozen=True)
class Finding:
    """A sentence: what it is about, and what is said of it."""

    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.subject} {self.text}"


def findings_of(
    standings: Standings,
    ranking: Comparison | None,
    rise: pd.DataFrame,
    stops: Sequence[Stops],
    seeds: int,
    diverged: Sequence[Divergence] = (),
) -> list[Finding]:
    """All that is to be said of an experiment; `rise` is of `comparing.rise_and_fall`, `seeds` how many there are.

    `diverged` are those of its fits that did.
    """
    if not standings.ranked:
        return [Finding("No ground truth:", "nothing says which method is best.")]
    ranked = [best_of(standings, ranking, seeds), *learned_in(standings), *unranked_in(standings)]
    gone = [Finding(found.method, f"{found}.") for found in diverged]
    return [*ranked, *gone, *falls_of(rise, stops)]


def best_of(standings: Standings, ranking: Comparison | None, seeds: int) -> Finding:
    """Which method has the best mean, by how much, and whether that is more than chance."""
    if not standings.contenders:
        return Finding("Nothing is ranked:", "no method has a number of every image.")
    first = standings.contenders[0]
    over = f"{counted(len(standings.images), 'image')}, {counted(seeds, 'seed')}"
    others = _of_other_methods(standings.contenders)
    if not others:
        return Finding(first.row.label, f"has {_number(first, standings)} ({over}); there is no other to compare with.")
    equal = [line for line in others if _digits(line, standings) == _digits(first, standings)]
    if equal:
        subject = listed([first.row.label, *(line.row.label for line in equal)])
        return Finding(subject, f"are best: {_number(first, standings)} each; {over}.{_by_another(standings)}")
    alike = alike_with(first.row.label, ranking)
    said = f"{_number(first, standings)}, {_ahead(others[0], standings)}"
    if alike:
        text = f"has the best mean, {said}, but cannot be told from {listed(alike)}; {over}"
    elif alike is None:
        text = f"is best: {said}; {over}: not established for other images"
    else:
        ranked = " that is ranked" if _some_are_not_ranked(standings, ranking) else ""
        text = f"is best: {said}; {over}: significant against every other method{ranked} ({LEVEL:.0%}, Holm)"
    return Finding(first.row.label, f"{text}.{_by_another(standings)}")


def _some_are_not_ranked(standings: Standings, ranking: Comparison | None) -> bool:
    """Whether a method is left out of the tests, as one that lacks an image is."""
    tested = set() if ranking is None else set(ranking.ranking["method"])
    return any(line.row.method not in tested for line in standings.lines)


def _of_other_methods(lines: Sequence[Standing]) -> list[Standing]:
    """The best line of each method but the first, in their order."""
    best = {line.row.method: line for line in reversed(lines)}
    return [line for line in lines if line is best[line.row.method]][1:]


def _ahead(line: Standing, standings: Standings) -> str:
    """By how much the best is above another line: what is shown of both, so that a reader can check it."""
    metric = standings.table.metric
    assert line.gap is not None
    higher, interval = metric.higher_is_better, line.gap.interval
    text = f"{abs(line.gap.value):.{metric.digits}f}"
    if interval:
        ahead = interval.negative() if higher else interval
        text += f" [{ahead.low:.{metric.digits}f}, {ahead.high:.{metric.digits}f}]".replace("-", MINUS)
    return f"{text} {'above' if higher else 'below'} {line.row.label}"


def _by_another(standings: Standings) -> str:
    """What another metric that every run has says, where it puts another method first."""
    first = standings.contenders[0]
    for place, column in enumerate(standings.columns[1:], 1):
        lines = [line for line in standings.contenders if line.means[place].value is not None]
        if column.metric.name not in METRICS or not lines:
            continue
        top = max(lines, key=lambda line: line.means[place].value or 0.0)
        if top.row.method != first.row.method and top.means[place].best and not first.means[place].best:
            value = f"{top.means[place].value:.{column.metric.digits}f}"
            return f" By {column.title}, {top.row.label} is best ({value})."
    return ""


def learned_in(standings: Standings) -> list[Finding]:
    """The best of the methods that learned from other images, which are not ranked with the others."""
    lines = [line for line in standings.lines if line.row.apart == "learned" and line.mean.value is not None]
    if not lines or not standings.best:
        return []
    gap = lines[0].gap
    apart = f", {_signed(gap.value, standings)} against {standings.best.row.label}" if gap else ""
    said = f"learned from other images and stands apart: {_number(lines[0], standings)}{apart}."
    return [Finding(lines[0].row.label, said)]


def unranked_in(standings: Standings) -> list[Finding]:
    """The methods that have no mean, for want of runs, or one that another protocol scored."""
    lines = [line for line in standings.lines if line.row.apart != "oracle"]  # which says nothing of the others
    ranked = {line.row.method for line in lines if not line.mean.marks and line.mean.value is not None}
    left = list(dict.fromkeys(line.row.method for line in standings.lines if line.row.method not in ranked))
    has = "has" if len(left) == 1 else "have"
    return [Finding(listed(left), f"{has} no mean that compares: see the notes of the table.")] if left else []


def falls_of(rise: pd.DataFrame, stops: Sequence[Stops]) -> list[Finding]:
    """What fits lose by not being stopped: those of the method that could be best, and how the others compare.

    Of those that did not diverge: nobody can say what the others lost.
    """
    ended = rise[rise["lost"].notna()]
    of_method = [(str(method), rows) for method, rows in ended.groupby("method", sort=False)]
    if not of_method:
        return []
    of_method.sort(key=lambda found: -_peaks(found[1]).mean())
    (method, rows), others = of_method[0], {name: _lost(rows).mean() for name, rows in of_method[1:]}
    frames = {found.method: found.frame[found.frame["run"].isin(ended["run"])] for found in stops}
    first = fall_of(method, rows, frames.get(method))
    if not others:
        return [first]
    if len(others) <= MOST_NAMED:
        lose = "loses" if len(others) == 1 else "lose"
        said = f"{lose} {listed([f'{lost:.2f}' for lost in others.values()])} dB by not stopping."
        return [first, Finding(listed(list(others)), said)]
    ends = dict.fromkeys(f"{lost:.2f}" for lost in (min(others.values()), max(others.values())))
    return [first, Finding(counted(len(others), "other fitted method"), f"lose {' to '.join(ends)} dB.")]


def fall_of(method: str, rise: pd.DataFrame, stops: pd.DataFrame | None) -> Finding:
    """What a method's fits lose by not being stopped, and what a rule would have kept: see `comparing.stopping`.

    Of the average of the outputs where every fit keeps one, else of the raw output, smoothed.
    """
    averaged, peaks, lost = _averaged(rise), _peaks(rise), _lost(rise)
    subject = f"{method}, EMA" if averaged else method
    at = (rise["ema_peak_at"] if averaged else rise["peak_at"]).astype("float64").median() + 1
    when = f"iteration {at:.0f}" if len(rise) == 1 else f"median iteration {at:.0f}"
    peak, end = peaks.mean(), (peaks - lost).mean()
    if lost.max() <= _TIE:
        return Finding(subject, f"does not fall before it ends, at {end:.2f} dB, within {_TIE:g} dB of its peak.")
    spread = f" ({lost.min():.2f} to {lost.max():.2f} over {len(lost)} fits)" if len(lost) > 1 else ""
    shown = round(peak, 2) - round(end, 2)  # so that the three numbers of the sentence agree
    said = f"peaks at {peak:.2f} dB ({when}) and ends at {end:.2f}: {shown:.2f} dB lost by not stopping{spread}"
    return Finding(subject, f"{said}{_kept(stops, peak, end, len(rise), averaged=averaged)}.")


def _averaged(rise: pd.DataFrame) -> bool:
    return bool(rise["ema_peak"].notna().all())


def _peaks(rise: pd.DataFrame) -> pd.Series:
    return rise["ema_peak"] if _averaged(rise) else rise["smoothed_peak"]


def _lost(rise: pd.DataFrame) -> pd.Series:
    return rise["ema_lost"] if _averaged(rise) else rise["lost"]


def _kept(stops: pd.DataFrame | None, peak: float, end: float, fits: int, *, averaged: bool) -> str:
    """What the best of the rules that could be replayed on every fit would have kept, said to be chosen afterwards."""
    if stops is None:
        return ""
    kept = stops.assign(kept=peak - stops["gap_ema"] if averaged else stops["psnr"])
    looking = kept[(kept["rule"] != NO_STOPPING) & kept["kept"].notna()].groupby("rule")["kept"]
    means = looking.mean()[looking.count() == fits]
    if means.empty:
        return ""
    if means.max() - end <= _TIE:
        return f"; no stopping rule of {len(means)} would have kept more"
    best = f"{means.idxmax()} would have kept {means.max():.2f}"
    return f"; {best}" if len(means) == 1 else f"; of {len(means)} stopping rules the best, {best}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them; of many the first few."""
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown.append(f"{len(names) - MOST_NAMED} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _digits(line: Standing, standings: Standings) -> str:
    assert line.mean.value is not None
    return f"{line.mean.value:.{standings.table.metric.digits}f}"


def _number(line: Standing, standings: Standings) -> str:
    return f"{_digits(line, standings)} {standings.table.metric.unit}".rstrip()


def _signed(value: float, standings: Standings) -> str:
    return f"{signed(value, standings.table.metric.digits)} {standings.table.metric.unit}".rstrip()
