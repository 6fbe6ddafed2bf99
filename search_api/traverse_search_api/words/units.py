"""What a text is made of: units, each a thing to find, and what they were understood as."""

from dataclasses import dataclass
from typing import Any

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Understood:
    """`text` (as typed) was taken for `parameter=value`, `label` in words. `choices` (code, label)
    where it could be several; `query` finds what it means; `words` are others for the same trade.
    What is not `soft` is not searched as words besides."""

    text: str
    parameter: str
    value: str
    label: str
    query: Query
    choices: tuple[tuple[str, str], ...] = ()
    territory: str | None = None
    soft: bool = True
    words: tuple[str, ...] = ()

    @property
    def is_place(self) -> bool:
        """Whether it is a territory, or several to choose from."""
        return self.parameter == "territory"

    def shown(self) -> dict[str, Any]:
        """As the answer has it."""
        return {
            "text": self.text,
            "parameter": self.parameter,
            "value": self.value,
            "label": self.label,
            "choices": [{"code": code, "label": label} for code, label in self.choices],
        }


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to find: words as typed, other words for the same, or what they were understood
    as. A word that only says what a code is ("CPV", "dép.") is in `understood.text` alone."""

    text: str
    also: tuple[str, ...] = ()
    understood: Understood | None = None

    @property
    def plain(self) -> bool:
        return not self.also and self.understood is None
