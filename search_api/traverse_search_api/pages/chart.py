"""Bars as SVG, made here: no script, and colours from the style sheet. The table beside it says the
same to who does not see it. Pure."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# As wide as a phone, so that what is written is as large there as the text around it.
_WIDTH: Final = 380
_NUMBER: Final = 52
_ROW: Final = 28
_BAR: Final = 18
_LETTER: Final = 8.5  # the widest usual font, at 15 units
_LINE: Final = 23  # letters: a week that two months share
_LINES: Final = 3
_HIGH: Final = 18  # a line


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a chart and of its table. `address` leads to what it counts, where something
    does."""

    label: str
    value: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A bar as it is drawn: `lines` of its label with their middles, `y` and `middle` from above,
    in the units of the view box."""

    lines: list[tuple[str, int]]
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
        return max(1, len(self.bars)) * self._row

    @property
    def left(self) -> int:
        """Where the bars begin."""
        longest = max((len(line) for bar in self.bars for line in _lines(bar.label)), default=0)
        return round(longest * _LETTER) + 10

    @property
    def _row(self) -> int:
        most = max((len(_lines(bar.label)) for bar in self.bars), default=1)
        return max(_ROW, _HIGH * most + 8)

    def rectangles(self) -> list[Rectangle]:
        """The bars as they are drawn; the longest fills the width."""
        most = max((bar.value for bar in self.bars), default=0) or 1
        room, height = _WIDTH - self.left - _NUMBER, self._row
        found = []
        for row, bar in enumerate(self.bars):
            middle, lines = row * height + height // 2, _lines(bar.label)
            above = middle - _HIGH * (len(lines) - 1) // 2
            found.append(
                Rectangle(
                    lines=[(line, above + _HIGH * number) for number, line in enumerate(lines)],
                    value=bar.value,
                    y=middle - _BAR // 2,
                    middle=middle,
                    width=round(room * bar.value / most, 1),
                )
            )
        return found


def _lines(label: str) -> list[str]:
    return textwrap.wrap(label, _LINE, max_lines=_LINES, placeholder="…")
