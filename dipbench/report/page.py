"""The page: puts tables, curves, pictures and facts into the template."""

import re
from dataclasses import dataclass

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from dipbench.comparing.intervals import FEWEST_IMAGES
from dipbench.comparing.ranking import Comparison
from dipbench.comparing.verdict import Verdict
from dipbench.report import anytime, choosing
from dipbench.report import ranking as ranking_table
from dipbench.report import rise as rise_table
from dipbench.report.chapters import Chapter
from dipbench.report.chunks import Explorable
from dipbench.report.curves import Curves
from dipbench.report.dots import dots_of
from dipbench.report.facts import (
    MethodFacts,
    dates,
    environment_of,
    not_done,
    wall_time,
)
from dipbench.report.film import Film
from dipbench.report.findings import Finding
from dipbench.report.formats import DASH, number, signed
from dipbench.report.gallery import MOST_IMAGES, Strip
from dipbench.report.standings import Standings
from dipbench.report.stops import HEADS, NOTE, Stops
from dipbench.report.sweep import Sweep
from dipbench.report.tables import Column, Table
from dipbench.report.verdicts import HEADING, TITLES, cells, notes
from dipbench.scoring import METRICS, SECONDS
from dipbench.store.outputs import kind_of
from dipbench.store.records import Plan
from dipbench.version import __version__

SMOKE = "smoke scale: no numbers to cite"


@dataclass(frozen=True, eq=False)
class Section:
    """An experiment on the page."""

    chapter: Chapter
    tables: list[Table]  # empty where nothing is in the store
    standings: Standings | None  # of the same; None where there are none
    findings: list[Finding]
    origins: str  # JSON: see `report.origins`
    curves: Curves | None
    widths: dict[str, int]  # of the figures, in CSS pixels
    strips: list[Strip]
    methods: list[MethodFacts]
    paces: pd.DataFrame  # see `report.anytime`; empty where fewer than two methods iterate
    task: list[tuple[str, str]]
    verdicts: list[Verdict]  # empty where nothing is compared with a published number
    rankings: list[Comparison]  # the first leads; none of one method, or of too few images and seeds
    rise: list[list[str]]  # a line a method that is fitted, as `report.rise.HEADS`
    choosing: list[list[str]]  # heads and lines: see `report.choosing`; empty where there is nothing to compare
    stops: list[Stops]  # a method each; empty where no stopping rule can be replayed
    films: list[Film]  # empty where no snapshots were kept
    sweep: Sweep | None  # None: no more methods than have a colour, or they differ in other than two settings
    explorable: Explorable  # what scripts make of the curves and the pictures


def page(plan: Plan, sections: list[Section]) -> str:
    """The page as HTML; it links to nothing but what lies beside it."""
    chapters = [section.chapter for section in sections]
    environment = templates()
    environment.globals.update(VERDICT_HEADING=HEADING, VERDICT_TITLES=TITLES, verdict_cells=cells, verdict_notes=notes)
    environment.globals.update(ranked=ranking_table, paced=anytime)
    environment.globals.update(RISE_HEADS=rise_table.HEADS, RISE_NOTE=rise_table.NOTE)
    environment.globals.update(STOP_HEADS=HEADS, STOP_NOTE=NOTE, CHOOSING_NOTE=choosing.NOTE)
    environment.globals.update(
        number=number,
        signed=signed,
        dots_of=dots_of,
        DASH=DASH,
        SMOKE=SMOKE,
        SECONDS=SECONDS,
        FEWEST_IMAGES=FEWEST_IMAGES,
        seconds=Column(SECONDS.title, SECONDS, ranked=False),
        psnr=Column("PSNR", METRICS["psnr"]),
        smoke=bool(chapters) and all(chapter.scale == "smoke" for chapter in chapters),
    )
    return environment.get_template("index.html.j2").render(
        plan=plan,
        sections=sections,
        part=_is_part(plan),
        failures=not_done(chapters),
        stopped=sum(bool(section.stops) for section in sections),
        absent=sum(len(chapter.missing) for chapter in chapters),
        runs=len({record.key for chapter in chapters for record in chapter.records}),
        licences=_licences(sections),
        kinds=_kinds_in(sections),
        environment=environment_of(chapters),
        wall_time=wall_time(chapters),
        dates=dates(chapters),
        most_pictures=MOST_IMAGES,
        version=__version__,
    )


def _is_part(plan: Plan) -> bool:
    """Whether every command asked for a part of its suite alone, whose description then says more than the page has."""
    commands = plan.command.splitlines()
    return bool(commands) and all(re.search(r"--only\b|\bonly=", command) for command in commands)


def templates() -> Environment:
    """What renders a page from the folder `templates`."""
    environment = Environment(
        loader=PackageLoader("dipbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    return environment


def breakable(text: str) -> Markup:
    """The text as HTML that may be broken before a bracket and after a comma, so that long settings fit on a phone."""
    return Markup(re.sub(r"(?=\[)|(?<=[,|_])", "<wbr>", str(escape(text))))


def _licences(sections: list[Section]) -> list[tuple[str, list[str]]]:
    """The terms that a user must know of, and the methods that they are of."""
    found: dict[str, list[str]] = {}
    for facts in (facts for section in sections for facts in section.methods if facts.licence):
        labels = found.setdefault(facts.licence, [])
        if facts.label not in labels:
            labels.append(facts.label)
    return list(found.items())


def _kinds_in(sections: list[Section]) -> list[tuple[str, bool, str]]:
    """The outputs that need to be told apart on this page: title, whether an oracle, meaning."""
    rows = [row for section in sections for table in section.tables for row in table.rows]
    outputs = dict.fromkeys(row.output for row in rows if row.output)
    known = sorted((kind_of(output) for output in outputs if kind_of(output).meaning), key=lambda kind: kind.oracle)
    return [(kind.title, kind.oracle, kind.meaning) for kind in known]
