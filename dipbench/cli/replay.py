"""`dipbench replay`: asks stopping rules of stored traces."""

from pathlib import Path
from typing import Annotated

import typer

from dipbench.cli import options, terminal
from dipbench.errors import UserError


def replay(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
    rule: Annotated[
        list[str] | None, typer.Option(help="name[setting=value] or file.py; default: every rule that can be asked.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write what each rule says of each fit to this CSV, its iterations from 0.")
    ] = None,
    plugins: options.Plugins = None,
) -> None:
    """Ask stopping rules where they would have stopped stored fits.

    Nothing is fitted: it takes that the signals they read were recorded.
    """
    import pandas as pd

    from dipbench import registry
    from dipbench.comparing.line import line_stops
    from dipbench.comparing.stopping import (
        COLUMNS,
        LARGE_GAP,
        divergences_of,
        fits_of,
        refuse_what_no_fit_can_answer,
        replayable,
        stops_of,
        with_first_peaks,
    )
    from dipbench.comparing.summary import summaries_of
    from dipbench.report.stops import SHORT_HEADS, cells
    from dipbench.store.store import Store
    from dipbench.text import table

    registry.use_folders(plugins)
    store = Store.existing(folder)
    holdings = store.holdings()
    fits, diverged = fits_of(store, holdings), divergences_of(store, holdings)
    gone = [f"{found.experiment}: {found.method} {found}" for found in diverged]
    if not fits and gone:
        raise UserError(f"no rule can be asked of '{folder}', for no output of its fits is a number: {'; '.join(gone)}")
    if not fits:
        raise UserError(f"'{folder}' holds no fit with a truth: run a suite with a prior, such as quickstart")
    fits = [fit for fit in fits if not fit.cut]
    if not fits:
        raise UserError(f"a rule ended every fit in '{folder}', and nobody knows its rest: run the suite without stop")
    rules = [registry.build("rule", name) for name in rule or ()] or replayable(fits)
    if rule:
        refuse_what_no_fit_can_answer(fits, rules)
    lines = line_stops(store, fits) if not rule else pd.DataFrame(columns=list(COLUMNS))
    made = []
    for experiment, method in dict.fromkeys((fit.experiment, fit.planned.label) for fit in fits):
        of_method = [fit for fit in fits if (fit.experiment, fit.planned.label) == (experiment, method)]
        line = lines[(lines["experiment"] == experiment) & (lines["method"] == method)]
        stops = with_first_peaks(pd.concat([stops_of(of_method, rules), line]).astype(COLUMNS), fits)
        if stops.empty:
            continue  # what is asked was not recorded of these
        made.append(stops)
        print(f"{experiment}: {method}")
        print(table([SHORT_HEADS, *map(cells, summaries_of(stops))], width=terminal.width()), end="\n\n")
    for words in gone:
        print(f"{words}: what a rule names there is no number: in no median, and a gap above {LARGE_GAP:g} dB")
    if out:
        try:
            pd.concat(made).to_csv(out, index=False)
        except OSError as error:
            raise UserError(f"cannot write '{out}': {error.strerror}") from error
