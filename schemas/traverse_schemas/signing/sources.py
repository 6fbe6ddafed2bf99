"""`source`: who says it (CloudEvents 1.0, section 3.1.1), as `urn:siren:NNNNNNNNN[:system]`."""

import re
from typing import NamedTuple

from traverse_schemas.errors import InvalidSourceError
from traverse_schemas.values.siren import is_siren

_URN = "urn:siren:"
_SOURCE = re.compile(r"urn:siren:([0-9]{9})(?::([a-z0-9][a-z0-9._-]{0,63}))?")
# The same few hundred sources speak all day: what was once parsed is remembered, within a bound.
_known: dict[str, "Source"] = {}
_KNOWN_LIMIT = 10_000


class Source(NamedTuple):
    """A parsed source: the institution's SIREN (9 digits, Luhn) and the system that speaks."""

    siren: str
    system: str | None

    @property
    def urn(self) -> str:
        return f"urn:siren:{self.siren}" + (f":{self.system}" if self.system else "")


def siren_in(source: str) -> str:
    """The SIREN of a source that was parsed when it was accepted."""
    return source[len(_URN) : len(_URN) + 9]


def parse_source(text: str) -> Source:
    """Read `urn:siren:NNNNNNNNN[:system]`.

    Raises InvalidSourceError when the form is another or the SIREN fails its check (Luhn).
    """
    known = _known.get(text)
    if known is not None:
        return known
    match = _SOURCE.fullmatch(text)
    if match is None:
        raise InvalidSourceError(
            f"La source « {text[:80]} » n'a pas la forme urn:siren:NNNNNNNNN ou "
            "urn:siren:NNNNNNNNN:systeme (système en minuscules, chiffres, points et tirets)."
        )
    if not is_siren(match[1]):
        raise InvalidSourceError(
            f"Le SIREN {match[1]} de la source ne passe pas le contrôle de Luhn : "
            "vérifiez les neuf chiffres de l'institution qui publie."
        )
    source = Source(match[1], match[2])
    if len(_known) < _KNOWN_LIMIT:
        _known[text] = source
    return source
