"""The outputs of a run: what each is called, and which of them nobody could have had."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What a reader must know of an output."""

    title: str
    oracle: bool  # chosen with the truth
    meaning: str


KINDS = {
    "final": Kind("final", False, "the raw output of the method at its last iteration."),
    "ema": Kind(
        "EMA", False, "the exponential moving average of the raw outputs of a fit, up to and with its last iteration."
    ),
    "best": Kind(
        "best",
        True,
        "the raw output at the iteration where its PSNR (vs ground truth) was highest. It is chosen with the "
        "ground truth: an upper bound on every rule that stops a fit, not a result.",
    ),
    "best_ema": Kind("best EMA", True, "the same for the exponential moving average."),
}
"""By the name that the recorder gives."""


def kind_of(output: str) -> Kind:
    """What is known of an output; one that is not in the table goes by its own name."""
    name, at, iterations = output.partition("_at_")
    if at and name in KINDS:
        return _at(name, iterations)
    return KINDS.get(output) or _of_rule(output)


def _of_rule(output: str) -> Kind:
    """What a stopping rule nominated: it is called as the rule is written, its average with `_ema` behind that."""
    rule, ema = output.removesuffix("_ema"), output.endswith("_ema")
    averaged = "the exponential moving average of the raw outputs" if ema else "the raw output"
    meaning = f"{averaged} at the iteration that the stopping rule {rule} nominates, from what it can see of the fit."
    return Kind(f"stopped by {rule}" + (", EMA" if ema else ""), False, meaning)


def _at(name: str, iterations: str) -> Kind:
    when = f"at {iterations} iterations"
    title = when if name == "final" else f"{KINDS[name].title} {when}"
    meaning = f"what '{KINDS[name].title}' is of a fit of {iterations} iterations, which is how this one began."
    return Kind(title, KINDS[name].oracle, meaning)


def is_average(output: str) -> bool:
    """Whether it is a moving average of the raw outputs, and not one of them."""
    name = output.partition("_at_")[0]
    return name == "ema" or name.endswith("_ema")


def raw_of(average: str) -> str:
    """The raw output of the iteration that an average is of."""
    name, at, iterations = average.partition("_at_")
    return ("final" if name == "ema" else name.removesuffix("_ema")) + at + iterations


def label_of(method: str, output: str) -> str:
    """What a reader calls an output of a method; `output` is empty where the method has only one."""
    if not output:
        return method
    kind = kind_of(output)
    return f"{method}, {kind.title}" + (" (oracle)" if kind.oracle else "")
