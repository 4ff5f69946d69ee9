"""What the help of each command ends with: commands to copy."""

_EXAMPLES = {
    "": (
        "dipbench run quickstart",
        "dipbench list suites",
        "dipbench show dip",
        'dipbench restore photo.png --task "denoising[sigma=25]"',
    ),
    "run": (
        "dipbench run quickstart",
        'dipbench run quickstart --set dip.iterations=500 --method "tv[weight=0.1]"',
        "dipbench run paper/denoising --only dip --seeds 3 --out results/three_seeds",
        "dipbench run paper/denoising --data my_photos --rule wmv --seeds 0,7,42",
        'dipbench run paper/denoising --on "slurm[partition=gpu,gpus=1,minutes=120]" --detach',
    ),
    "plan": ("dipbench plan paper/denoising --seeds 3", "dipbench plan quickstart --only dip"),
    "status": ("dipbench status results/quickstart",),
    "report": ("dipbench report results/quickstart --open", "dipbench report results/quickstart --only dip --out page"),
    "compare": (
        "dipbench compare --suite quickstart",
        "dipbench compare dip bm3d --suite results/three_seeds --baseline bm3d",
    ),
    "leaderboard": ("dipbench leaderboard results/quickstart results/three_seeds --out leaderboard",),
    "replay": ('dipbench replay results/quickstart --rule "wmv[patience=300]"',),
    "score": (
        'dipbench score my_results --dataset set5 --task "super_resolution[factor=4]" --pattern "{name}_x4.png"',
    ),
    "restore": (
        'dipbench restore photo.png --task "denoising[sigma=25]"',
        "dipbench restore *.png --task denoising --method nlm --out restored",
        "dipbench restore raw.tif --task denoising --peak 4095",
        'dipbench restore small.png --task "super_resolution[factor=4]" --method "dip[iterations=500]" --out large.png',
    ),
    "list": ("dipbench list methods", "dipbench list suites"),
    "show": ("dipbench show dip", "dipbench show paper/denoising", "dipbench show my_prior.py"),
    "check": ("dipbench check my_prior.py", "dipbench check jitter --kind trick"),
    "new": ("dipbench new prior my_prior", "dipbench new method my_method --out methods"),
    "cite": ("dipbench cite 1a2b3c --store results/quickstart --output ema",),
    "doctor": ("dipbench doctor",),
    "data": ("dipbench data list", "dipbench data fetch set5"),
    "data fetch": ("dipbench data fetch set5 set14", "dipbench data fetch weights"),
    "data verify": ("dipbench data verify", "dipbench data verify set5 --data-dir images"),
    "data list": ("dipbench data list",),
}
"""Command -> lines; of the program itself under no name."""


def examples_of(command: str = "") -> str:
    """The end of its help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in _EXAMPLES[command])
