"""What became of the rows of files: counted, and each refusal with its line and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unicodedata import category

from traverse_producers.files.rows import LeftOut, Line, Refused

_KEPT = 10_000  # refusals that are told one by one; more are counted

_ORDERS = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


@dataclass(slots=True)
class Report:
    """`sent` events were handed over, `delivered` of them are durable on the log; `refused` rows
    gave no event, or one that was not taken; `left_out` rows say what another row said."""

    sent: int = 0
    delivered: int = 0
    refused: int = 0
    left_out: int = 0
    problems: list[Refused] = field(default_factory=list)
    interrupted: str | None = None
    """Why the rest was not sent or not confirmed: one sentence."""
    _last: tuple[str, Line] | None = None

    @property
    def undelivered(self) -> int:
        """Events that were handed over and are not known to be durable."""
        return self.sent - self.delivered

    @property
    def ok(self) -> bool:
        """Whether nothing was refused and nothing is missing."""
        return not self.refused and not self.undelivered and self.interrupted is None

    def refuse(self, problem: Refused) -> None:
        """Take down a problem; several in a row of the same line are one refused row."""
        here = (problem.file, problem.line)
        if here != self._last:
            self.refused += 1
        self._last = here
        if len(self.problems) < _KEPT:
            self.problems.append(problem)

    def leave_out(self, _: LeftOut) -> None:
        """Take down a row that loses nothing."""
        self.left_out += 1

    def add(self, other: "Report") -> None:
        """Count what another report tells, too."""
        self.sent += other.sent
        self.delivered += other.delivered
        self.refused += other.refused
        self.left_out += other.left_out
        self.problems += other.problems[: max(0, _KEPT - len(self.problems))]
        self.interrupted = self.interrupted or other.interrupted

    def lines(self) -> Iterator[str]:
        """The report in French: a line for each problem, then the sums."""
        for problem in self.problems:
            of = f" [{problem.reference}]" if problem.reference else ""
            at = f" ({problem.pointer})" if problem.pointer else ""
            yield _shown(f"{_place(problem.file, problem.line)}{of}{at} : {problem.sentence}")
        if self.refused and len(self.problems) == _KEPT:
            yield f"(Seuls les {_KEPT} premiers problèmes sont détaillés.)"
        if self.interrupted:
            yield f"Interrompu : {self.interrupted}"
        sums = [
            f"{self.sent} événement(s) envoyé(s), dont {self.delivered} confirmé(s)",
            f"{self.refused} ligne(s) refusée(s)",
        ]
        if self.left_out:
            sums.append(f"{self.left_out} répétition(s) laissée(s) de côté")
        yield " ; ".join(sums) + "."

    def as_json(self) -> dict[str, Any]:
        """The same, for programs."""
        return {
            "sent": self.sent,
            "delivered": self.delivered,
            "refused": self.refused,
            "left_out": self.left_out,
            "interrupted": self.interrupted,
            "problems": [problem._asdict() for problem in self.problems],
        }


def _place(file: str, line: Line) -> str:
    if isinstance(line, int):
        return f"{file}, ligne {line}"
    # A notice that is a file of its own has been named already.
    return file if file.endswith(line) else f"{file}, {line}"


def _shown(text: str) -> str:
    """What a terminal may be given: a file's control characters are not for it to obey.

    Those of Unicode's categories C (controls, direction marks…), Zl and Zp; spaces of all widths
    stay.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if category(char) in _ORDERS else char for char in text
    )
