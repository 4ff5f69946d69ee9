"""Rows of a table in Markdown and LaTeX, and text in which nothing is read as a command of theirs."""

from collections.abc import Iterable, Sequence

_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # a bracket after the end of a row would be read as its option
    "]": "{]}",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "§": r"\S{}",
    "¶": r"\P{}",
    **{character: f"\\{character}" for character in "&%$#_"},
}


def markdown_text(text: str) -> str:
    """The text with what Markdown would read as markup made harmless."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text


def markdown_row(cells: Iterable[str]) -> str:
    """A row of a table in Markdown; the cells are markup."""
    return f"| {' | '.join(cells)} |"


def markdown_table(heads: Sequence[str], lines: Iterable[Iterable[str]]) -> list[str]:
    """The rows of a table in Markdown: words on the left in its first column, numbers on the right in the others.

    The cells are texts, in which nothing is read as markup.
    """
    rule = markdown_row([":--", *["--:"] * (len(heads) - 1)])
    head, *rows = [markdown_row(map(markdown_text, line)) for line in (heads, *lines)]
    return [head, rule, *rows]


def tex(text: str) -> str:
    """The text with what LaTeX would read as a command made harmless.

    Letters of other scripts stay: the article loads what sets them, as it does for its own text.
    """
    return "".join(_TEX.get(character, character) for character in text)


def tex_row(cells: Iterable[str]) -> str:
    """A row of a table in LaTeX; the cells are markup."""
    return f"{' & '.join(cells)} \\\\"
