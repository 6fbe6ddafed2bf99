"""What is written to the people of a source that has gone silent."""

from datetime import UTC, datetime, timedelta

from tests.search_api.accounts.people import INSTITUTIONS
from traverse_search_api.alerts.silence import Silence, email


def test_the_day_of_the_last_publication_is_that_in_france() -> None:
    """It was the 2nd there when it was the 1st in UTC."""
    last = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    silence = Silence(source=f"urn:siren:{INSTITUTIONS[0].siren}", last=last, gap=timedelta(days=1))
    message = email(
        silence, INSTITUTIONS[0], to="a@ville.example", sender="t@traverse.example",
        address="https://traverse.example", now=last + timedelta(days=20),
    )  # fmt: skip
    assert "Dernière publication : 2\u00a0mars 2026" in message.get_content()
