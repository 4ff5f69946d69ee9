"""What is compared: of each method one output, that which a user would take. Oracles are none."""

from typing import NamedTuple

import pandas as pd

from dipbench.errors import UserError, unknown
from dipbench.store.outputs import kind_of, label_of

_USUAL = ("ema", "final")  # that which is taken where none is named: the first of these that every run has


class Entrant(NamedTuple):
    """An output of a method."""

    method: str  # its label
    output: str

    def rows(self, results: pd.DataFrame) -> pd.DataFrame:
        """Its rows in the table of results, of runs that are done."""
        own = (results["method"] == self.method) & (results["output"] == self.output) & (results["status"] == "done")
        return results[own]

    def label(self, results: pd.DataFrame) -> str:
        """What a reader calls it; the output is named where the method has several."""
        return label_of(self.method, self.output if len(_outputs(results, self.method)) > 1 else "")


def every_entrant(results: pd.DataFrame, output: str = "") -> list[Entrant]:
    """One a method that has a run that is done: `output` where every run of the method has it, else the usual one."""
    methods = dict.fromkeys(results.loc[results["status"] == "done", "method"])
    return [Entrant(method, _usual(results, method, output)) for method in methods]


def entrant_of(written: str, results: pd.DataFrame, output: str = "") -> Entrant:
    """The one that a user means by a method's label, with the output behind a comma or without: `dip, ema`.

    Without, it is `output` where every run of the method has that. UserError where there is none, and for an oracle.
    """
    known = set(results["method"])
    if written in known:
        return Entrant(written, _usual(results, written, output))
    method, comma, output = (part.strip() for part in written.rpartition(","))
    if not comma or method not in known:
        raise unknown("method of these results", written if written.endswith("]") or not comma else method, known)
    return Entrant(method, _named_output(output, _outputs(results, method), method))


def output_of(written: str, results: pd.DataFrame) -> str:
    """The name of the output that a user means for all methods. UserError where none has it, and for an oracle."""
    done = results[(results["status"] == "done") & (results["output"] != "")]
    return _named_output(written, list(dict.fromkeys(done["output"])))


def _named_output(written: str, there: list[str], method: str = "") -> str:
    """By its name or by what a reader calls it; without a `method` it is sought among the outputs of all."""
    names = {name: output for output in there for name in (output, kind_of(output).title)}
    if written not in names:
        of = f"'{method}'" if method else "these results"
        raise unknown(f"output of {of}", written, [output for output in there if not kind_of(output).oracle])
    if kind_of(names[written]).oracle:
        before = f"{method}, " if method else ""
        raise UserError(
            f"'{before}{written}' is chosen with the truth, a bound and no result: it takes another output, such as "
            f"'{before}{_first(there)}'"
        )
    return names[written]


def _outputs(results: pd.DataFrame, method: str) -> list[str]:
    found = results.loc[(results["method"] == method) & (results["output"] != ""), "output"]
    return list(dict.fromkeys(found))


def _usual(results: pd.DataFrame, method: str, wanted: str = "") -> str:
    done = results[(results["method"] == method) & (results["status"] == "done")]
    runs = done.groupby("output")["run"].nunique()
    whole = [output for output in (wanted, *_USUAL) if output and runs.get(output, 0) == done["run"].nunique()]
    return whole[0] if whole else _first(list(runs.index))


def _first(outputs: list[str]) -> str:
    """`final`, or the first that is no oracle; it would be called `final` if there were one."""
    return next((o for o in ("final", *outputs) if o in outputs and not kind_of(o).oracle), "final")
