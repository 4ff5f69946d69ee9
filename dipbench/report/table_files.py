"""The files of the tables of an experiment."""

from collections.abc import Sequence

from dipbench.report.chapters import Chapter
from dipbench.report.csvs import to_csv, to_tidy_csv
from dipbench.report.formats import to_markdown
from dipbench.report.latex import to_latex, to_tabular
from dipbench.report.means import means_of
from dipbench.report.provenance import Provenance, provenance_of
from dipbench.report.tables import Table
from dipbench.store.records import Plan


def files_of_tables(tables: Sequence[Table], chapter: Chapter, plan: Plan) -> dict[str, str]:
    """Path within the report -> text: the means in `tables`, the numbers of each image in its folder `images`.

    Every number behind them is in `numbers`. There is at least one table.
    """
    provenance = provenance_of(chapter, plan)
    means = means_of(tables, chapter.images)
    files = _files_of(means, f"tables/{chapter.file}", provenance)
    for table in tables:
        files |= _files_of(table, f"tables/images/{chapter.file}-{table.metric.name}", provenance)
    files[f"tables/{chapter.file}.md"] = to_markdown([means, *tables])
    files[f"numbers/{chapter.file}.csv"] = to_tidy_csv(chapter.frame, provenance)
    return files


def _files_of(table: Table, path: str, provenance: Provenance) -> dict[str, str]:
    return {
        f"{path}.csv": to_csv(table, provenance),
        f"{path}.tex": to_latex(table, f"tab:{path.rpartition('/')[2]}", provenance),
        f"{path}.tabular.tex": to_tabular(table, provenance),
    }
