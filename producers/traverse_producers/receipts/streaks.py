"""Sources whose verified events fail in a row: told of it, and slowed down. Pure.

Only rejections of verified authors count: what strangers send slows nobody.
"""

from typing import Final

WARN_AFTER: Final = 5
"""Verified rejections in a row after which the institution is told."""

SLOW_AFTER: Final = 20
"""And after which its rate at the gateway is divided."""

SLOWED_TO: Final = 10
"""By how much."""


def warning_of(failed: int) -> str | None:
    """What an institution reads when its last `failed` verified events were all refused."""
    if failed < WARN_AFTER:
        return None
    many = (
        "les derniers événements" if failed >= SLOW_AFTER else f"les {failed} derniers événements"
    )
    slowed = (
        " En attendant, votre débit à la passerelle est réduit." if failed >= SLOW_AFTER else ""
    )
    return (
        f"Tous {many} de votre institution ont été refusés : arrêtez l'envoi, corrigez la cause "
        f"(GET /v1/rejections les montre), puis rejouez-les.{slowed}"
    )


def slowed_rate(per_minute: int, failed: int) -> int:
    """The rate of an institution, events a minute, after `failed` refusals in a row."""
    return max(1, per_minute // SLOWED_TO) if failed >= SLOW_AFTER else per_minute
