"""Which score of a run counts where runs are compared: of one that diverged, of an average that is none yet."""

from collections.abc import Callable, Mapping

import pandas as pd

from dipbench.comparing.divergence import with_last_finite
from dipbench.contract.prior import UNSETTLED, first_share
from dipbench.metrics import known
from dipbench.store.outputs import is_average, kind_of, raw_of
from dipbench.store.records import Result


def comparable(
    results: pd.DataFrame, ended: Mapping[str, Result], trace_of: Callable[[str], pd.DataFrame | None]
) -> pd.DataFrame:
    """The table of results with five more columns, and the scores that comparing takes of what has none of its own.

    `ended` are the results of the runs, by key; `trace_of` gives the trace of a run by its key. A run that is
    `diverged` has the score of its last finite output; where its trace has no such score the hole stays. `diverged_at`
    is the iteration from which on no output is a number, NaN where that is not known. `rule` is, of an output that a
    rule chose which was asked for, that rule with its code; empty of any other output. `unfired` is whether a rule
    chose it that had not fired when the fit ended, and that does fire, as it did in another fit.
    `first_share` is what the first output still has in an average, and 0 of any other output: an average that is
    UNSETTLED has the scores of the raw output of that iteration, which is what `restore` gives there.
    """
    named = results[["run", "output", "iteration"]] if ended else pd.DataFrame()
    shares = [_first_share(ended.get(run), output, iteration) for run, output, iteration in named.to_numpy()]
    scored = with_last_finite(results, trace_of).assign(first_share=shares or 0.0)
    return _with_rules(_with_raw_for_unsettled(scored), ended)


def _first_share(result: Result | None, output: str, iteration: int) -> float:
    settings = result.run.method.get("settings", {}) if result and is_average(output) else {}
    weight = settings.get("average")
    return first_share(weight, iteration) if isinstance(weight, (int, float)) else 0.0


def _with_raw_for_unsettled(results: pd.DataFrame) -> pd.DataFrame:
    """An oracle keeps what it is, and an average whose run has no raw output beside it."""
    scores = [name for name in known() if name in results]
    raw = results.drop_duplicates(["run", "output"]).set_index(["run", "output"])[scores]
    for place, row in results[results["first_share"] > UNSETTLED].iterrows():
        twin = (row["run"], raw_of(row["output"]))
        if twin in raw.index and not kind_of(row["output"]).oracle:
            results.loc[place, scores] = raw.loc[twin]
    return results


def _with_rules(results: pd.DataFrame, ended: Mapping[str, Result]) -> pd.DataFrame:
    """With `rule` and `unfired`. Rules of dipbench's own have a version, beyond the first, in place of a hash."""
    rules = {
        (key, output.output): asked
        for key, result in ended.items()
        for output in result.outputs
        for asked in result.watched
        if output.rule and (asked == output.rule or asked.startswith(f"{output.rule} "))
    }
    nominated = [(key, output) for key, result in ended.items() for output in result.outputs if output.rule]
    fires = {output.rule for _, output in nominated if output.fired is not None}
    unfired = {(key, of.output) for key, of in nominated if of.fired is None and of.rule in fires}
    places = list(zip(results["run"], results["output"], strict=True))
    return results.assign(
        rule=[rules.get(place, "") for place in places], unfired=[place in unfired for place in places]
    )
