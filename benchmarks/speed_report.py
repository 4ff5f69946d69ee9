"""Renders what fit_speed.py, overhead.py, fidelity.py and fidelity_full.py measured: reports/speed/README.md.

python benchmarks/speed_report.py
"""

from pathlib import Path

import pandas as pd
import seaborn as sns
from classical_report import table
from fidelity_report import sections
from matplotlib.figure import Figure

ROOT = Path(__file__).parent.parent
NUMBERS, REPORT = ROOT / "results" / "reference" / "speed", ROOT / "reports" / "speed"
NOT_MEASURED = "not measured: no GPU was at hand"

HEAD = """# Speed and fidelity of the fit

Denoising, sigma 25, the paper's network, in alternation with the official code in processes of their own: see
[docs/speed.md](../../docs/speed.md). Every number is in [results/reference/speed](../../results/reference/speed).
"""


def main() -> None:
    """Writes the report on what is there."""
    REPORT.mkdir(parents=True, exist_ok=True)
    speed = read("fit_speed")
    parts = [HEAD, "## Goals\n", goals(speed, read("overhead"), read("fidelity_statistics"))]
    if not speed.empty:
        draw(speed).savefig(REPORT / "speed.png", dpi=160)
        parts += ["## Speed\n", "![Seconds an iteration](speed.png)\n", shown(speed.drop(columns="it/s"))]
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
    return table(found.drop(columns=same).astype(object).map(short)) + f"\n\n{facts}.\n"


def short(value: object) -> object:
    """A number in four digits that count; nothing where there is none."""
    if value is None or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else value


def goals(speed: pd.DataFrame, overhead: pd.DataFrame, fidelity: pd.DataFrame) -> str:
    """Each goal with what was measured."""
    rows = []
    cpu = speed[speed["device"].str.startswith("cpu")] if not speed.empty else speed
    for size, goal in ((256, 1.6), (512, 1.8)):
        found = cpu[(cpu["size"] == size) & (cpu["contender"] == "dipbench") & cpu["keeps memory"]] if len(cpu) else cpu
        found = found[found["engine"] == "eager"] if len(found) else found
        rows.append(
            [f"CPU, {size}x{size}: against the notebook's loop", f"{goal}", _ratio(found, "against the notebook", goal)]
        )
    rows.append(["CPU: losses as without kept memory", "all bits", _losses(cpu)])
    rows.append(["CPU: peak memory over the notebook's", "at most 1", _memory(cpu)])
    cost = (
        "not measured"
        if overhead.empty
        else ", ".join(f"{v:.1f}% at {s}" for s, v in zip(overhead["size"], overhead["overhead [%]"], strict=True))
    )
    rows.append(["recording every signal", "at most 2%", cost])
    rows.append(["default engine and precision: mean peak from eager float32", "0.1 dB", _fidelity(fidelity)])
    gpu = speed[~speed["device"].str.startswith("cpu")] if not speed.empty else speed
    for size, column, goal in GPU_GOALS:
        found = gpu[(gpu["size"] == size) & (gpu["contender"] == "dipbench")] if len(gpu) else gpu
        rows.append(
            [f"GPU, {size}x{size}: {column}", f"{goal}", _ratio(found, column, goal) if len(found) else NOT_MEASURED]
        )
    rows.append(
        ["GPU, 256x256: 8 fits at once against one after another", "3", NOT_MEASURED if gpu.empty else _at_once(gpu)]
    )
    return table(pd.DataFrame(rows, columns=["what", "goal", "measured"])) + "\n"


GPU_GOALS = [(512, "against the notebook", 5.0), (512, "against the bare official", 2.5), (512, "over the floor", 1.5)]


def _ratio(found: pd.DataFrame, column: str, goal: float) -> str:
    if found.empty or found[column].isna().all():
        return "not measured"
    lower_is_better = column == "over the floor"
    best = found.loc[found[column].idxmin() if lower_is_better else found[column].idxmax()]
    reached = best[column] <= goal if lower_is_better else best[column] >= goal
    verdict = "reached" if reached else "falls short"
    return f"{best[column]:.2f} ({best['engine']}, {best['precision']}), {verdict}"


def _losses(cpu: pd.DataFrame) -> str:
    if cpu.empty:
        return "not measured"
    ours = cpu[(cpu["engine"] == "eager") & cpu["keeps memory"]]["losses as without kept memory"].dropna()
    return "equal" if len(ours) and all(str(value) == "True" for value in ours) else "differ"


def _memory(cpu: pd.DataFrame) -> str:
    if cpu.empty:
        return "not measured"
    theirs = cpu[cpu["contender"] == "official notebook"].set_index("size")["peak memory [MiB]"]
    ours = cpu[(cpu["contender"] == "dipbench") & (cpu["engine"] == "eager") & cpu["keeps memory"]]
    ratios = ours.set_index("size")["peak memory [MiB]"] / theirs
    return ", ".join(f"{value:.2f} at {size}" for size, value in ratios.dropna().items()) or "not measured"


def _fidelity(statistics: pd.DataFrame) -> str:
    if statistics.empty:
        return "not measured"
    apart = statistics["falls of 5 dB"] > 0
    worst = statistics.loc[statistics[~apart]["minus eager float32 [dB]"].abs().idxmax()]
    where = f"{worst['crop']}x{worst['crop']} cut-outs" if worst["crop"] else "whole images"
    broken = [f"{row.engine} {row.precision} comes apart" for row in statistics[apart].itertuples()]
    most = f"at most {abs(worst['minus eager float32 [dB]']):.2f} ± {worst['standard error [dB]']:.2f} dB on {where}"
    return "; ".join([f"{most} ({worst['engine']} {worst['precision']})", *broken])


def _at_once(gpu: pd.DataFrame) -> str:
    small = gpu[(gpu["size"] == 256) & (gpu["contender"] == "dipbench")]
    together, alone = small[small["at once"] > 1]["s/it"].min(), small[small["at once"] == 1]["s/it"].min()
    return f"{alone / together:.2f}" if alone == alone and together == together else NOT_MEASURED


def draw(speed: pd.DataFrame) -> Figure:
    """A bar a contender, a panel a size."""
    sizes = sorted(speed["size"].unique())
    figure = Figure(figsize=(5.2 * len(sizes), 3.6), layout="constrained")
    for axes, size in zip(figure.subplots(1, len(sizes), squeeze=False)[0], sizes, strict=True):
        rows = speed[speed["size"] == size].assign(name=lambda frame: frame.apply(_name, axis=1))
        sns.barplot(rows, x="s/it", y="name", hue="name", palette="colorblind", legend=False, ax=axes)
        axes.set(xlabel="seconds an iteration, median", ylabel="", title=f"{size}x{size}")
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
