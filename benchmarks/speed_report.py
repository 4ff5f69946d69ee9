"""Renders what fit_speed.py, overhead.py, fidelity.py and fidelity_full.py measured: reports/speed/README.md.

python benchmarks/speed_report.py
"""

from pathlib import Path

import pandas as pd
import seaborn as sns
from classical_report import table
from fidelity_report import sections
from matplotlib.figure import Figure
from speed_goals import goals

ROOT = Path(__file__).parent.parent
NUMBERS, REPORT = ROOT / "results" / "reference" / "speed", ROOT / "reports" / "speed"

HEAD = """# Speed and fidelity of the fit

Denoising, sigma 25, the paper's network, in alternation with the official code in processes of their own: see
[docs/speed.md](../../docs/speed.md). Every number is in [results/reference/speed](../../results/reference/speed).
"""


def main() -> None:
    """Writes the report on what is there."""
    REPORT.mkdir(parents=True, exist_ok=True)
    speed = read("fit_speed")
    parts = [HEAD, "## Goals\n", table(goals(speed, read("overhead"), read("fidelity_statistics"))) + "\n"]
    if not speed.empty:
        draw(speed).savefig(REPORT / "speed.png", dpi=160)
        parts += ["## Speed\n", "![Seconds an iteration](speed.png)\n"]
        parts += [shown(rows.drop(columns="it/s")) for _, rows in speed.groupby("device", sort=False)]
    parts += sections(read("fidelity_differences"), read("fidelity_full"))
    parts += [f"## {title}\n\n{shown(found)}" for name, title in TITLES.items() if not (found := read(name)).empty]
    (REPORT / "README.md").write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
    print(REPORT / "README.md")


TITLES = {
    "overhead": "What recording costs",
    "fidelity_first": "The first iteration, relative error against eager float64",
    "fidelity_statistics": "Statistics over images and seeds",
}


def read(name: str) -> pd.DataFrame:
    """The tables of that name, of every device where there are several, one under another."""
    found = [pd.read_csv(file) for file in sorted([*NUMBERS.glob(f"{name}.csv"), *NUMBERS.glob(f"{name}_*.csv")])]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def shown(found: pd.DataFrame) -> str:
    """A table, and under it what is the same in all its rows."""
    same = [column for column in found.columns[2:] if found[column].nunique(dropna=False) == 1]
    facts = "; ".join(f"{column}: {found[column].iloc[0]}" for column in same if pd.notna(found[column].iloc[0]))
    below = f"\n\n{facts}.\n" if facts else "\n"
    return table(found.drop(columns=same).astype(object).map(short)) + below


def short(value: object) -> object:
    """A number in four digits that count; nothing where there is none."""
    if value is None or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else value


def draw(speed: pd.DataFrame) -> Figure:
    """A bar a contender, a panel a device and size."""
    panels = list(speed.groupby(["device", "size"], sort=False))
    figure = Figure(figsize=(5.2 * len(panels), 3.6), layout="constrained")
    for axes, ((device, size), rows) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        rows = rows.assign(name=rows.apply(_name, axis=1))
        sns.barplot(rows, x="s/it", y="name", hue="name", palette="colorblind", legend=False, ax=axes)
        axes.set(xlabel="seconds an iteration, median", ylabel="", title=f"{size}x{size}, {device}")
        axes.set_axisbelow(True)
        axes.grid(axis="x", color="#e8e8e8")
    return figure


def _name(row: pd.Series) -> str:
    if row["contender"].startswith("official"):
        return row["contender"]
    kept = ", memory not kept" if row["device"].startswith("cpu") and not row["keeps memory"] else ""
    many = f", {row['at once']} at once" if row["at once"] > 1 else ""
    return f"{row['contender']} ({row['engine']}, {row['precision']}{kept}{many})"


if __name__ == "__main__":
    main()
