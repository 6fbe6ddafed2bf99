"""What an answer says of older versions of schemas: for programs, in its headers. Pure.

`Deprecation` (RFC 9745) is since when a successor is there, `Sunset` (RFC 8594) when the old
version will be refused, and a `Link` (RFC 8288, `successor-version` of RFC 5829) leads to the
successor's schema. Of several, the soonest.
"""

from collections.abc import Iterable
from email.utils import format_datetime

from traverse_schemas.events import EVENT_TYPES
from traverse_schemas.judging.succession import Succession


def deprecation_headers(endings: Iterable[Succession | None]) -> dict[str, str]:
    """The headers for what was sent, or asked for, in older versions; none without any."""
    found = [each for each in endings if each is not None]
    if not found:
        return {}
    successors = (EVENT_TYPES[name] for name in sorted({each.by for each in found}))
    return {
        "Deprecation": f"@{min(each.deprecated_at for each in found).timestamp():.0f}",
        "Sunset": format_datetime(min(each.ends_at for each in found), usegmt=True),
        "Link": ", ".join(
            f'</v1/schemas/{each.kind}.{each.action}/{each.version}>; rel="successor-version"'
            for each in successors
        ),
    }
