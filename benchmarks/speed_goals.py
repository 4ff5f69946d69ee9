"""What the speed of a fit is to reach, and what of it was reached."""

from dataclasses import dataclass

import pandas as pd

from dipbench.comparing.statistics import student_quantile

NOT_MEASURED = "not measured"
MOST_COST, MOST_APART = 2.0, 0.1  # of recording, %; of an engine and precision from eager float32, dB


@dataclass(frozen=True)
class Goal:
    """A number of the table of fit_speed.py, of dipbench with its recording and with kept memory."""

    device: str  # cpu or gpu
    size: int  # side of the image, pixels
    column: str
    value: float
    at_most: bool = False  # else at least
    engine: str = ""  # empty: the best of those measured
    precision: str = ""


GOALS = [
    Goal("cpu", 256, "against the notebook", 1.6, engine="eager", precision="float32"),
    Goal("cpu", 512, "against the notebook", 1.8, engine="eager", precision="float32"),
    Goal("cpu", 256, "against the notebook", 6.0, engine="lean", precision="bf16"),
    Goal("cpu", 512, "against the notebook", 8.0, engine="lean", precision="bf16"),
    Goal("cpu", 256, "over the convolutions", 3.5, at_most=True, engine="lean", precision="bf16"),
    Goal("cpu", 512, "over the convolutions", 3.5, at_most=True, engine="lean", precision="bf16"),
    Goal("cpu", 256, "against eager float32", 1.3, engine="lean", precision="float32"),
    Goal("cpu", 512, "against eager float32", 1.3, engine="lean", precision="float32"),
    Goal("cpu", 256, "memory of eager float32", 0.7, at_most=True, engine="lean", precision="bf16"),
    Goal("cpu", 512, "memory of eager float32", 0.7, at_most=True, engine="lean", precision="bf16"),
    Goal("gpu", 512, "against the notebook", 5.0),
    Goal("gpu", 512, "against the bare official", 2.5),
    Goal("gpu", 512, "over the floor", 1.5, at_most=True),
]
"""Those of bfloat16 on a CPU are stated for a processor that multiplies it in matrix tiles (amx_bf16)."""


def goals(speed: pd.DataFrame, overhead: pd.DataFrame, fidelity: pd.DataFrame) -> pd.DataFrame:
    """Each goal with what was measured; the frames are those of fit_speed.py, overhead.py and fidelity.py."""
    rows = [[_title(goal), _wanted(goal), _reached(goal, speed)] for goal in GOALS]
    cpu, gpu = (_of_device(speed, device) for device in ("cpu", "gpu"))
    rows += [
        ["CPU: losses as without kept memory", "all bits", _losses(cpu)],
        ["CPU: peak memory over the notebook's (eager, float32)", "at most 1", _memory(cpu)],
        *([f"recording every signal ({where})", f"at most {MOST_COST:g}%", told] for where, told in _costs(overhead)),
        [*_fidelity(fidelity)],
        ["GPU, 256x256: 8 fits at once against one after another", "3", _at_once(gpu)],
    ]
    return pd.DataFrame(rows, columns=["what", "goal", "measured"])


def _title(goal: Goal) -> str:
    who = f" ({goal.engine}, {goal.precision})" if goal.engine else ""
    return f"{goal.device.upper()}, {goal.size}x{goal.size}: {goal.column}{who}"


def _wanted(goal: Goal) -> str:
    return f"{'at most ' if goal.at_most else ''}{goal.value:g}"


def _of_device(speed: pd.DataFrame, device: str) -> pd.DataFrame:
    if speed.empty:
        return speed
    on_cpu = speed["device"].str.startswith("cpu")
    return speed[on_cpu if device == "cpu" else ~on_cpu]


def _reached(goal: Goal, speed: pd.DataFrame) -> str:
    found = _of_device(speed, goal.device)
    if not found.empty:
        found = found[(found["size"] == goal.size) & (found["contender"] == "dipbench") & (found["at once"] == 1)]
        found = found[found["keeps memory"] | (goal.device != "cpu")]
        for column in ("engine", "precision"):
            if wanted := getattr(goal, column):
                found = found[found[column] == wanted]
    if found.empty or found[goal.column].isna().all():
        return NOT_MEASURED
    best = found.sort_values(goal.column, ascending=goal.at_most).iloc[0]
    value = best[goal.column]
    verdict = _verdict(value <= goal.value if goal.at_most else value >= goal.value)
    who = "" if goal.engine else f" ({best['engine']}, {best['precision']})"
    where = f", with {best['instructions']}" if goal.precision == "bf16" else ""
    return f"{value:.2f}{who}, {verdict}{where}"


def _losses(cpu: pd.DataFrame) -> str:
    if cpu.empty:
        return NOT_MEASURED
    eager = cpu[(cpu["engine"] == "eager") & (cpu["precision"] == "float32") & cpu["keeps memory"]]
    ours = eager["losses as without kept memory"].dropna()
    return "equal" if len(ours) and all(str(value) == "True" for value in ours) else "differ"


def _memory(cpu: pd.DataFrame) -> str:
    if cpu.empty:
        return NOT_MEASURED
    theirs = cpu[cpu["contender"] == "official notebook"].set_index("size")["peak memory [MiB]"]
    ours = cpu[(cpu["contender"] == "dipbench") & (cpu["engine"] == "eager") & (cpu["precision"] == "float32")]
    ratios = ours[ours["keeps memory"]].set_index("size")["peak memory [MiB]"] / theirs
    ratios = ratios.dropna()
    if ratios.empty:
        return NOT_MEASURED
    return f"{', '.join(f'{value:.2f} at {size}' for size, value in ratios.items())}, {_verdict(ratios.max() <= 1)}"


def _costs(overhead: pd.DataFrame) -> list[tuple[str, str]]:
    """A line a machine, engine and precision, which are no series: the sizes of one are not compared with another's."""
    if overhead.empty:
        return [("any engine", NOT_MEASURED)]
    lines = []
    for where, rows in overhead.groupby(["device", "engine", "precision"], sort=False):
        costs = rows["overhead [%]"]
        told = ", ".join(f"{value:.1f}% at {size}" for size, value in zip(rows["size"], costs, strict=True))
        lines.append((", ".join(map(str, where)), f"{told}, {_verdict(costs.max() <= MOST_COST)}"))
    return lines


def _verdict(reached: bool) -> str:
    return "reached" if reached else "falls short"


def _fidelity(statistics: pd.DataFrame) -> tuple[str, str, str]:
    """What is compared, the goal, and the execution that is furthest off, with its interval over the images."""
    what, goal = "mean peak from eager float32", f"at most {MOST_APART:g} dB"
    if statistics.empty:
        return what, goal, NOT_MEASURED
    apart = statistics["falls of 5 dB"] > 0
    worst = statistics[~apart].sort_values("minus eager float32 [dB]", key=abs, ascending=False).iloc[0]
    where = f"{worst['crop']}x{worst['crop']} crops" if worst["crop"] else "whole images"
    broken = [f"{row.engine} {row.precision} comes apart" for row in statistics[apart].itertuples()]
    mean = worst["minus eager float32 [dB]"]
    half = student_quantile(worst["images"] - 1) * worst["standard error [dB]"]
    told = f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f}) dB on {where}"
    verdict = _verdict(max(half - mean, half + mean) <= MOST_APART)
    named = f"{what} ({worst['engine']}, {worst['precision']})"
    return named, goal, "; ".join([f"{told}, {verdict}", *broken])


def _at_once(gpu: pd.DataFrame) -> str:
    if gpu.empty:
        return NOT_MEASURED
    small = gpu[(gpu["size"] == 256) & (gpu["contender"] == "dipbench")]
    together, alone = small[small["at once"] > 1]["s/it"].min(), small[small["at once"] == 1]["s/it"].min()
    return f"{alone / together:.2f}" if alone == alone and together == together else NOT_MEASURED
