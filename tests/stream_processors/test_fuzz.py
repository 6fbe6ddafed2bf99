"""Whatever octets come, the validate step accepts them or says why not, and never fails itself."""

from functools import cache, partial
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.signing import members, signature
from tests.stream_processors.factory import call_data, event, inbound
from traverse_schemas.errors import Reason
from traverse_schemas.events import EVENT_TYPES
from traverse_schemas.log.topics import PARTITIONS
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.validating.admit import admit
from traverse_stream_processors.validating.check import check

QUIET = settings(
    max_examples=150,
    derandomize=True,  # CI says the same of the same code
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ("com:13055", "cp:13", "fr", "2026-02-30", "9999-12-31", "0001-01-01", "1e400", "\x00", "٣",
         "urn:siren:181300013", "https://[", "2026-11-20T10:00:00+99:99")
    ),
)  # fmt: skip
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=8), inner, max_size=4),
    ),
    max_leaves=12,
)
BROKEN = [
    b"", b"\x00", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"null", b"0", b'""', b"[]", b"{}",
    b"{", b'{"a":}', b'{"a":1,}', b"{'a':1}", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e999}',
    b'{"a":"\\ud800"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc3"}', b'{"a":"\\u0000"}', b'{"a":01}',
    b"[" * 2000, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"id":1,"id":2}', b"\n" * 1000,
    b'{"type":"fr.traverse.call.published.v1"}', b'{"type":["fr"]}', b'{"type":{}}',
    b'{"specversion":"1.0","type":"fr.traverse.call.published.v1","data":[]}',
]  # fmt: skip


@cache
def tables() -> tuple[Territories, Any]:
    territories = Territories.load()
    return territories, partial(
        enrich, territories=territories, institutions=Institutions(territories, {})
    )


def judged(octets: bytes) -> str:
    """Why the step refuses these octets, signed by somebody; "" when it takes them. What it writes
    is decided too. Ours must be no reason."""
    territories, apply = tables()
    message = inbound(octets)._replace(headers=((SIGNATURE_HEADER, signature(octets)),))
    checked = check([message], territories, RegistryView(members()))
    admitted = admit(checked, {}, {}, apply, PARTITIONS)
    reasons = [dict(one.headers)["reason"].decode() for one in admitted.effects
               if one.topic == "traverse.rejected"]  # fmt: skip
    assert Reason.INTERNAL not in reasons
    assert reasons or admitted.effects
    return "".join(reasons)


def test_broken_octets_are_refused_each_with_a_reason() -> None:
    assert all(judged(octets) for octets in BROKEN)


@QUIET
@given(st.binary(max_size=300))
def test_any_octets(octets: bytes) -> None:
    judged(octets)


@QUIET
@given(st.data())
def test_an_event_with_anything_anywhere(data: st.DataObject) -> None:
    """A right event of some type, one part of which is replaced, added or taken away."""
    whole = event(type=data.draw(st.sampled_from(sorted(EVENT_TYPES))))
    if data.draw(st.booleans()):
        whole["data"] = data.draw(
            st.sampled_from(({}, {"outcome": "awarded", "record": call_data()}))
        )
    place: Any = whole
    while True:
        key = data.draw(st.sampled_from([*place, "new", "record", "lots", "window", "sequence"]))
        if isinstance(place.get(key), dict) and data.draw(st.booleans()):
            place = place[key]
            continue
        break
    if data.draw(st.booleans()):
        place[key] = data.draw(VALUES)
    else:
        place.pop(key, None)
    try:
        octets = orjson.dumps(whole)
    except (TypeError, orjson.JSONEncodeError):  # a lone surrogate, an integer of more than 64 bits
        return
    judged(octets)


@QUIET
@given(st.integers(0, 2**16), st.integers(0, 255), st.integers(0, 2))
def test_an_event_with_an_octet_changed_or_cut_off(place: int, octet: int, how: int) -> None:
    octets = orjson.dumps(event())
    at = place % len(octets)
    changed = (
        octets[:at],
        octets[:at] + bytes([octet]) + octets[at + 1 :],
        octets[:at] + octets[at + 1 :],
    )
    judged(changed[how])
