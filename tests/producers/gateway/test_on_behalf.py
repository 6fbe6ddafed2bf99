"""A service of the gateway's own acts for institutions that entrusted it with their signature."""

from datetime import timedelta

import pytest

from tests.producers.gateway.serving import HOST, KEY, NOW, SERVICE, serving
from tests.stream_processors.factory import event

CHAMBER = "181300013"


def test_an_event_of_an_institution_that_delegated_is_signed_and_taken() -> None:
    with serving() as gateway:
        headers = {"authorization": f"Bearer {SERVICE}", "traverse-on-behalf-of": CHAMBER}
        assert gateway.post(event(), **headers).status_code == 202
        assert len(gateway.written) == 1
        # For nobody else than the one that is named.
        other = event(source="urn:siren:211300553")
        assert gateway.post(other, **headers).status_code == 403
        # And its own name opens nothing more than it did.
        assert gateway.post(event(), authorization=f"Bearer {SERVICE}").status_code == 403


@pytest.mark.parametrize(
    ("key", "siren", "chamber"),
    [
        (KEY, CHAMBER, {}),  # a key that is not for this
        (SERVICE, CHAMBER, {"delegated": False}),
        (SERVICE, CHAMBER, {"revoked_at": NOW - timedelta(days=1)}),
        (SERVICE, HOST, {}),
        (SERVICE, "000000000", {}),
        (SERVICE, "", {}),
    ],
)
def test_nobody_else_is_acted_for(key: str, siren: str, chamber: dict[str, object]) -> None:
    with serving(chamber=chamber) as gateway:
        headers = {"authorization": f"Bearer {key}", "traverse-on-behalf-of": siren}
        assert gateway.post(event(), **headers).status_code == 403
        answer = gateway.client.get("/v1/rejections", headers=headers)
        assert answer.status_code == 403
        assert gateway.written == []
