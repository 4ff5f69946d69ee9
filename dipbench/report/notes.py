"""The notes below a table and their marks: numbers for holes, daggers for protocols, letters for what was learned."""

from string import ascii_lowercase

_DAGGERS = ("†", "‡", "§", "¶")


class Notes:
    """Gives every text a mark, the same one whenever it comes."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._daggers: dict[str, str] = {}
        self._letters: dict[str, str] = {}

    def number(self, text: str) -> str:
        """For why there is a hole."""
        return self._numbers.setdefault(text, str(len(self._numbers) + 1))

    def dagger(self, text: str) -> str:
        """For another protocol."""
        count = len(self._daggers)
        return self._daggers.setdefault(text, _DAGGERS[count % len(_DAGGERS)] * (count // len(_DAGGERS) + 1))

    def letter(self, text: str) -> str:
        """For what was learned from other images."""
        count = len(self._letters)
        letter = ascii_lowercase[count % len(ascii_lowercase)] * (count // len(ascii_lowercase) + 1)
        return self._letters.setdefault(text, letter)

    def all(self) -> tuple[tuple[str, str], ...]:
        """Every mark with its text, the letters first, the numbers last."""
        kinds = (self._letters, self._daggers, self._numbers)
        return tuple((mark, text) for marks in kinds for text, mark in marks.items())
