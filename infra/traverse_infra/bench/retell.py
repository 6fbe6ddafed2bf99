"""Retell: an event as another institution of another place would have told it. Pure.

A round of the same events must be of other things, or linking would make one of all rounds; and
what hangs together within a round must hang together as before. So a round moves the country on by
so many départements, gives each owner another number and each reference another, and scales the
sums: what was equal, near or within stays so. Names are written in other letters; words that mean
something, dates, codes and holders stay.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.siren import luhn_ok
from traverse_stream_processors.likeness.model import Vectoriser, base_model
from traverse_stream_processors.linking.words import fold, telling, words_of

_NUMBERS_ON: Final = 791_900
"""How far references move on a round: the last two digits, which count modifications, stay."""

_OWNERS_ON: Final = 100_003
_LEAST_COMMUNES: Final = 50  # of a département that records move to

_DIGITS: Final = re.compile(r"[0-9]{3,}")
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_VOWELS: Final = "aiouy"
# Without s and x, which end plurals: what is one word in two forms stays one.
_CONSONANTS: Final = "bcdfghjklmnpqrtvwz"


class Round:
    """The events of one round; round 0 tells them as they are."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._letters = str.maketrans(
            {
                **_turned(_VOWELS, number),
                **_turned(_CONSONANTS, number),
                **_turned(_VOWELS.upper(), number),
                **_turned(_CONSONANTS.upper(), number),
            }
        )
        self._share = 1 + (number * 37 % 80 - 20) / 100

    def subject(self, subject: str) -> str:
        """The reference of the record, which may be the number of its notice."""
        return self._reference(subject)

    def data(self, data: Any, subject: str, siren: str) -> Any:
        """The data of an event about `subject` that the institution of this SIREN says. What has
        another form than a record's stays, to be refused as it would have been."""
        if not self._number or not isinstance(data, dict):
            return data
        if "record" in data:
            return {**self._moved(data), "record": self.data(data["record"], subject, siren)}
        if "title" not in data:
            return self._moved(data)
        said = {"owner": {"id": siren}, **data}
        if isinstance(said["owner"], dict) and str(said["owner"].get("id"))[:9] == siren:
            # The owner moves and who says it does not: what was the owner's own number by being
            # the subject has to be told.
            told = data.get("references")
            said["references"] = [*(told if isinstance(told, list) else ()), subject]
        return self._moved(said)

    def _moved(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self._moved(one) for one in part]
        if not isinstance(part, dict):
            return part
        return {name: self._field(name, it) for name, it in part.items() if name != "location"}

    def _field(self, name: str, it: Any) -> Any:
        match name, it:
            case "record", _:
                return it
            case "place" | "eligible_area", list():
                return list(dict.fromkeys(self._place(str(code)) for code in it))
            case "owner", dict():
                return self._owner(it)
            case "coordinator", str():
                return self._siren(it)
            case "members", list():
                return [self._siren(str(one)) for one in it]
            case "references", list():
                return [self._reference(str(one)) for one in it]
            case "url", str():
                return f"{it}#{self._number}"
            case "title", str():
                return self._renamed(it, _means)
            case "value" | "amount", int() | float():
                return round(it * self._share, 2)
            case _:
                return self._moved(it)

    def _owner(self, owner: dict[str, Any]) -> dict[str, Any]:
        """Another number of the same family, and the kind and name that the old one is known by."""
        found = dict(owner)
        number = str(owner.get("id", ""))
        if number:
            found["id"] = self._siren(number[:9])
            if len(number) == 14 and number.isdecimal():
                found["id"] = _checked(f"{found['id']}{number[9:13]}", number)
            known = Territories.load().by_siren(number[:9])
            if known is not None:
                found.setdefault("kind", known.kind)
                if "name" not in found or str(found["name"]).isupper():
                    found["name"] = known.name
        if "name" in found:
            found["name"] = self._renamed(str(found["name"]), _is_of_all)
        return found

    def _siren(self, siren: str) -> str:
        if len(siren) != 9 or not siren.isdecimal():
            return siren
        middle = (int(siren[2:8]) + self._number * _OWNERS_ON) % 1_000_000
        return _checked(f"{siren[:2]}{middle:06}", siren)

    def _reference(self, text: str) -> str:
        """In other letters, each number in it another of as many digits; a year before it stays."""
        if not self._number:
            return text
        found = _DIGITS.sub(lambda match: self._renumbered(match[0]), text)
        return found.translate(self._letters)

    def _renumbered(self, digits: str) -> str:
        dated = digits.startswith(("19", "20")) and (len(digits) == 4 or len(digits) > 7)
        year, rest = (digits[:4], digits[4:]) if dated else ("", digits)
        if not rest:
            return year
        moved = (int(rest) + self._number * _NUMBERS_ON) % 10 ** len(rest)
        return f"{year}{moved:0{len(rest)}}"

    def _renamed(self, text: str, stays: Callable[[str], bool]) -> str:
        """In other letters, but for words that stay."""
        return _WORD.sub(
            lambda match: match[0] if stays(match[0]) else match[0].translate(self._letters), text
        )

    def _place(self, code: str) -> str:
        return _atlas().moved(code, self._number)


class _Atlas:
    """France as départements of EPCI of communes, in order."""

    def __init__(self, territories: Territories) -> None:
        self._territories = territories
        by_epci: dict[str, dict[str, list[str]]] = {}
        for commune in territories.communes():
            groups = by_epci.setdefault(commune.department, {})
            groups.setdefault(commune.epci or "", []).append(commune.insee)
        self._groups = {
            department: [groups[siren] for siren in sorted(groups)]
            for department, groups in by_epci.items()
        }
        self._targets = sorted(
            department
            for department, groups in self._groups.items()
            if sum(map(len, groups)) >= _LEAST_COMMUNES
        )
        self._stands = {
            insee: (group, place)
            for groups in self._groups.values()
            for group, members in enumerate(groups)
            for place, insee in enumerate(members)
        }

    def moved(self, code: str, number: int) -> str:
        """The territory code that stands where this one's does, so many départements on; what
        covers all of France, or is not on the map, stays."""
        chain = self._territories.chain(code)
        if not number or chain is None or chain.code == "fr":
            return code
        level, _, value = code.partition(":")
        if level == "reg":
            inside = (one for one in self._territories.departments() if one.region == value)
            home = min((one.number for one in inside), default=None)
        else:
            step = chain.first("dep")
            home = step.code.partition(":")[2] if step else None
        if home is None:
            return code
        around, at = divmod(bisect_left(self._targets, home) + number, len(self._targets))
        department = self._targets[at]
        if level in ("dep", "reg"):
            return self._wide(level, department)
        stands = self._stands.get(self._of(level, value, home))
        groups = self._groups[department]
        members = groups[(stands[0] + around) % len(groups)] if stands else []
        commune = self._territories.commune(members[stands[1] % len(members)]) if stands else None
        if commune is None:
            return f"dep:{department}"
        if level == "epci":
            return f"epci:{commune.epci}" if commune.epci else f"dep:{department}"
        return f"cp:{commune.postal_codes[0]}" if level == "cp" else commune.code

    def _of(self, level: str, value: str, home: str) -> str:
        """The commune of a code: of an EPCI its first in that département."""
        if level == "cp":
            return next((one.insee for one in self._territories.communes_of_postal(value)), "")
        if level != "epci":
            return self._territories.resolve(value) or ""
        epci = self._territories.epci(value)
        communes = map(self._territories.commune, epci.members if epci else ())
        return next((one.insee for one in communes if one and one.department == home), "")

    def _wide(self, level: str, department: str) -> str:
        row = self._territories.department(department)
        return f"reg:{row.region}" if level == "reg" and row else f"dep:{department}"


@lru_cache(maxsize=1)
def _atlas() -> _Atlas:
    return _Atlas(Territories.load())


@lru_cache(maxsize=1)
def _vectoriser() -> Vectoriser:
    return Vectoriser(base_model())


@lru_cache(maxsize=200_000)
def _means(word: str) -> bool:
    """Whether likeness has learnt the word."""
    return _vectoriser().knows(fold(word))


@lru_cache(maxsize=200_000)
def _is_of_all(word: str) -> bool:
    """Whether the word tells no owner from another ("commune")."""
    return not telling(words_of(fold(word)))


@lru_cache(maxsize=200_000)
def _checked(body: str, like: str) -> str:
    """A number with its check digit; as wrong as `like` is, where that fails its check."""
    digit = next(digit for digit in range(10) if luhn_ok(f"{body}{digit}"))
    right = next(digit for digit in range(10) if luhn_ok(f"{like[:-1]}{digit}"))
    return f"{body}{(digit + int(like[-1]) - right) % 10}"


def _turned(letters: str, by: int) -> dict[str, str]:
    place = by % len(letters)
    return dict(zip(letters, letters[place:] + letters[:place], strict=True))
