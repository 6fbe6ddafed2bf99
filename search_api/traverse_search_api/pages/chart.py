"""Bars as SVG, made here: no script, and colours from the style sheet. The table beside it says the
same to who does not see it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_WIDTH: Final = 640
_LABEL: Final = 220
_ROW: Final = 28
_BAR: Final = 18
_NUMBER: Final = 56


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a chart and of its table. `address` leads to what it counts, where something
    does."""

    label: str
    value: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A bar as it is drawn: `y` and `middle` from above, in the units of the view box."""

    label: str
    value: int
    y: int
    middle: int
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with the bars that it is made of. `name` makes ids on the page."""

    name: str
    title: str
    first: str
    second: str
    bars: Sequence[Bar]

    @property
    def total(self) -> int:
        """The sum of the bars."""
        return sum(bar.value for bar in self.bars)

    @property
    def width(self) -> int:
        """Of the view box."""
        return _WIDTH

    @property
    def height(self) -> int:
        """Of the view box."""
        return max(1, len(self.bars)) * _ROW

    @property
    def left(self) -> int:
        """Where the bars begin."""
        return _LABEL

    def rectangles(self) -> list[Rectangle]:
        """The bars as they are drawn; the longest fills the width."""
        most = max((bar.value for bar in self.bars), default=0) or 1
        room = _WIDTH - _LABEL - _NUMBER
        return [
            Rectangle(
                label=_short(bar.label),
                value=bar.value,
                y=row * _ROW + (_ROW - _BAR) // 2,
                middle=row * _ROW + _ROW // 2,
                width=round(room * bar.value / most, 1),
            )
            for row, bar in enumerate(self.bars)
        ]


def _short(label: str, most: int = 26) -> str:
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"
