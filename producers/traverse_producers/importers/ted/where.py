"""Where a notice's contract is."""

from traverse_producers.importers.bodies import has_local_name, is_french, seat_of
from traverse_producers.importers.places import FRANCE, Places
from traverse_producers.importers.ted.notice import Notice, published_parts, text_of

_LOCAL_TYPES = frozenset({"3", "R"})  # AA_AUTHORITY_TYPE: regional or local authority, agency
_MANY = 1000


def places_of(notice: Notice, places: Places) -> tuple[str, ...]:
    """The territories of a notice; () when neither its buyer nor its contract is in France.

    The places of execution (NUTS), as a commune when the site is named and there is one
    département. "France" from a local buyer, or nothing, gives the buyer's own territory, else its
    commune or département. A French buyer that buys for abroad is shown for the whole of France.
    """
    codes = _performance(notice)
    found = tuple(dict.fromkeys(t for code in codes if (t := places.of_nuts(code))))
    precise = tuple(place for place in found if place != FRANCE)
    if precise:
        return (_sites(notice, precise, places) or precise)[:_MANY]
    if not is_french(notice.buyer):
        return found
    abroad = bool(codes) and not found
    local = notice.code("AA_AUTHORITY_TYPE") in _LOCAL_TYPES or has_local_name(notice.buyer)
    if abroad or (found and not local):
        return (FRANCE,)
    return (seat_of(notice.buyer, places) or FRANCE,)


def _performance(notice: Notice) -> list[str]:
    parts = [
        nuts
        for around in notice.form.iter("OBJECT_DESCR", "LOCATION_NUTS", "DESCRIPTION_PROCUREMENT")
        for nuts in published_parts(around, "NUTS")
    ]
    parts += notice.coded.iter("PERFORMANCE_NUTS")
    return [part.get("CODE", "") for part in parts]


def _sites(notice: Notice, precise: tuple[str, ...], places: Places) -> tuple[str, ...]:
    if len(precise) != 1 or not precise[0].startswith("dep:"):
        return ()
    texts = {text_of(site) for site in notice.form.iter("MAIN_SITE", "LOCATION")}
    found = [places.of_site(text, precise[0][4:]) for text in sorted(texts) if text]
    return tuple(dict.fromkeys(site for site in found if site)) if all(found) else ()
