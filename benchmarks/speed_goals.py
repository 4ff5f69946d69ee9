"""What the speed of a fit is to reach, and what of it was reached."""

from dataclasses import dataclass

import pandas as pd

NOT_MEASURED = {"cpu": "not measured", "gpu": "not measured: no GPU was at hand"}


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
        ["recording every signal", "at most 2%", _cost(overhead)],
        ["default engine and precision: mean peak from eager float32", "0.1 dB", _fidelity(fidelity)],
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
        return NOT_MEASURED[goal.device]
    best = found.sort_values(goal.column, ascending=goal.at_most).iloc[0]
    value = best[goal.column]
    verdict = "reached" if (value <= goal.value if goal.at_most else value >= goal.value) else "falls short"
    who = "" if goal.engine else f" ({best['engine']}, {best['precision']})"
    where = f", with {best['instructions']}" if goal.precision == "bf16" else ""
    return f"{value:.2f}{who}, {verdict}{where}"


def _losses(cpu: pd.DataFrame) -> str:
    if cpu.empty:
        return NOT_MEASURED["cpu"]
    eager = cpu[(cpu["engine"] == "eager") & (cpu["precision"] == "float32") & cpu["keeps memory"]]
    ours = eager["losses as without kept memory"].dropna()
    return "equal" if len(ours) and all(str(value) == "True" for value in ours) else "differ"


def _memory(cpu: pd.DataFrame) -> str:
    if cpu.empty:
        return NOT_MEASURED["cpu"]
    theirs = cpu[cpu["contender"] == "official notebook"].set_index("size")["peak memory [MiB]"]
    ours = cpu[(cpu["contender"] == "dipbench") & (cpu["engine"] == "eager") & (cpu["precision"] == "float32")]
    ratios = ours[ours["keeps memory"]].set_index("size")["peak memory [MiB]"] / theirs
    return ", ".join(f"{value:.2f} at {size}" for size, value in ratios.dropna().items()) or NOT_MEASURED["cpu"]


def _cost(overhead: pd.DataFrame) -> str:
    if overhead.empty:
        return NOT_MEASURED["cpu"]
    costs = zip(overhead["size"], overhead["overhead [%]"], strict=True)
    return ", ".join(f"{value:.1f}% at {size}" for size, value in costs)


def _fidelity(statistics: pd.DataFrame) -> str:
    if statistics.empty:
        return NOT_MEASURED["cpu"]
    apart = statistics["falls of 5 dB"] > 0
    worst = statistics[~apart].sort_values("minus eager float32 [dB]", key=abs, ascending=False).iloc[0]
    where = f"{worst['crop']}x{worst['crop']} crops" if worst["crop"] else "whole images"
    broken = [f"{row.engine} {row.precision} comes apart" for row in statistics[apart].itertuples()]
    most = f"at most {abs(worst['minus eager float32 [dB]']):.2f} ± {worst['standard error [dB]']:.2f} dB on {where}"
    return "; ".join([f"{most} ({worst['engine']} {worst['precision']})", *broken])


def _at_once(gpu: pd.DataFrame) -> str:
    if gpu.empty:
        return NOT_MEASURED["gpu"]
    small = gpu[(gpu["size"] == 256) & (gpu["contender"] == "dipbench")]
    together, alone = small[small["at once"] > 1]["s/it"].min(), small[small["at once"] == 1]["s/it"].min()
    return f"{alone / together:.2f}" if alone == alone and together == together else NOT_MEASURED["gpu"]
