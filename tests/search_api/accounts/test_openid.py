"""Signing in at a real OpenID provider: what is trusted, and what a stranger tries."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from oidc_provider_mock import User

from tests.search_api.accounts.people import MARSEILLE, SITE, House, account, house
from tests.search_api.accounts.provider import Running, provider
from traverse_search_api.accounts.account import Identity, StaffRole
from traverse_search_api.accounts.account_changes import without_identity
from traverse_search_api.accounts.errors import ProviderError
from traverse_search_api.accounts.openid import Provider
from traverse_search_api.settings import SearchSettings

LEA, PAUL = "lea@marseille.example", "paul@marseille.example"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """A provider that knows Léa and Paul."""
    with provider(
        User(sub="lea", claims={"email": LEA, "email_verified": True}),
        User(sub="paul", claims={"email": PAUL, "email_verified": True}),
        User(sub="double", claims={"email": LEA, "email_verified": True}),
        User(sub="doubtful", claims={"email": PAUL, "email_verified": False}),
        User(sub="stranger", claims={"email": "x@ailleurs.example", "email_verified": True}),
    ) as made:
        yield made


@pytest.fixture
def home(running: Running) -> Iterator[House]:
    """A service where both have an account without a password."""
    people = tuple(
        account(email, (MARSEILLE, StaffRole.PUBLISHER), password=None) for email in (LEA, PAUL)
    )
    with house(people=people, provider=running.client(f"{SITE}/connexion/retour")) as made:
        yield made


def away(visitor: TestClient, towards: str = "/compte") -> str:
    """The address at the provider that somebody is sent to."""
    answer = visitor.get("/connexion/fournisseur", params={"vers": towards})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def test_who_the_provider_vouches_for_comes_in_and_stays_the_same(
    home: House, running: Running
) -> None:
    """By a verified address the first time; then by `sub`, whatever becomes of the address."""
    visitor = home.visitor()
    assert "Se connecter avec ProConnect" in visitor.get("/connexion").text
    address = away(visitor)
    asked = parse_qs(urlsplit(address).query)
    assert asked["redirect_uri"] == [f"{SITE}/connexion/retour"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    back = running.consent(address, "lea")
    answer = visitor.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte")
    assert LEA in visitor.get("/compte").text
    assert home.row(LEA).identity == Identity(issuer=running.address, subject="lea")
    assert home.audit.events[-1]["data"] == {"how": "openid"}
    # The same answer, played again, opens nothing.
    assert visitor.get(back).status_code == 502
    running.say("lea", email="mariee@ailleurs.example", email_verified=True)
    other = home.visitor()
    assert other.get(running.consent(away(other), "lea")).status_code == 303
    assert LEA in other.get("/compte").text
    running.say("lea", email=LEA, email_verified=True)


def test_an_account_that_was_unbound_is_bound_again_by_its_address(
    home: House, running: Running
) -> None:
    visitor = home.visitor()
    visitor.get(running.consent(away(visitor), "lea"))
    assert visitor.get("/compte").status_code == 200
    home.clock.move(seconds=1)
    row = home.row(LEA)
    home.table.put(row.id, without_identity(row, home.clock.at))
    assert visitor.get("/compte").status_code == 303
    other = home.visitor()
    assert other.get(running.consent(away(other), "double")).status_code == 303
    assert home.row(LEA).identity == Identity(issuer=running.address, subject="double")


@pytest.mark.parametrize("subject", ["doubtful", "stranger"])
def test_an_address_that_is_not_verified_or_not_known_opens_nothing(
    home: House, running: Running, subject: str
) -> None:
    visitor = home.visitor()
    answer = visitor.get(running.consent(away(visitor), subject))
    assert answer.status_code == 403
    assert "Aucun compte de Traverse" in answer.text
    assert visitor.get("/compte").status_code == 303


def test_an_account_belongs_to_the_first_identity_that_opened_it(
    home: House, running: Running
) -> None:
    first, second = home.visitor(), home.visitor()
    assert first.get(running.consent(away(first), "lea")).status_code == 303
    assert second.get(running.consent(away(second), "double")).status_code == 403


def test_an_answer_counts_only_in_the_browser_that_asked(home: House, running: Running) -> None:
    """State, proof key and nonce: an attacker's code in a victim's browser, and the reverse."""
    attacker, victim = home.visitor(), home.visitor()
    theirs = running.consent(away(attacker), "paul")
    assert victim.get(theirs).status_code == 502
    own = running.consent(away(victim), "lea")
    assert victim.get(theirs).status_code == 502
    mixed = {
        "code": parse_qs(urlsplit(theirs).query)["code"][0],
        "state": parse_qs(urlsplit(own).query)["state"][0],
    }
    assert victim.get(f"/connexion/retour?{urlencode(mixed)}").status_code == 502
    assert victim.get("/compte").status_code == 303


def test_who_says_no_or_comes_back_late_is_told_so(home: House, running: Running) -> None:
    visitor = home.visitor()
    answer = visitor.get(running.consent(away(visitor), "lea", "deny"))
    assert answer.status_code == 502
    assert "recommencez depuis" in answer.text
    assert visitor.get("/connexion/retour?code=x&state=y").status_code == 502
    assert visitor.get("/connexion/retour").status_code == 502


def test_a_closed_account_stays_closed(home: House, running: Running) -> None:
    row = home.row(LEA)
    home.table.put(row.id, row.model_copy(update={"disabled_at": home.clock.at}))
    visitor = home.visitor()
    assert visitor.get(running.consent(away(visitor), "lea")).status_code == 403


def test_coming_back_leads_to_no_other_site(home: House, running: Running) -> None:
    visitor = home.visitor()
    back = running.consent(away(visitor, "//mechant.example"), "lea")
    assert visitor.get(back).headers["location"] == "/"


def test_a_provider_that_is_away_or_somebody_else_is_a_sentence(running: Running) -> None:
    for issuer in ("http://127.0.0.1:1", f"{running.address}/"):
        one = Running(issuer).client(f"{SITE}/connexion/retour")
        with house(provider=one) as made:
            answer = made.visitor().get("/connexion/fournisseur")
            assert answer.status_code == 502
            assert "fournisseur d’identité" in answer.text


def test_a_secret_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    settings = SearchSettings(
        oidc_issuer="https://op.example", oidc_client_secret_file=tmp_path / "absent"
    )
    with pytest.raises(ProviderError, match="TRAVERSE_OIDC_CLIENT_SECRET_FILE"):
        Provider.of(settings)
