"""A need that is signalled on the page: corrected, sent twice, and told what became of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

import orjson
import pytest
from fastapi.testclient import TestClient

from tests.search_api.accounts.people import MARSEILLE, House, Taking, house, token_of, words_of
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.reference.territories import Territories
from traverse_search_api.gateway_client import RefusedByGatewayError
from traverse_search_api.pages.need import routes as need_routes
from traverse_search_api.pages.need.form import checked, own_reference, published_form
from traverse_search_api.search import Searcher
from traverse_stream_processors.validating.validate import Accepted, validate

PAUL = "paul@marseille.example"
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
REFERENCE = "besoin-0123456789abcdef"
TYPED = {
    "reference": REFERENCE,
    "titre": "Bornes de recharge",
    "lieu": "Aubagne",
    "type": "purchase",
    "quand": "bientot",
    "visibilite": "buyers",
    "montant": "12000",
}
TERRITORIES = Territories.load()


class Hidden(HTMLParser):
    """The hidden fields of a page's form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"] or ""] = given["value"] or ""


@pytest.fixture
def gateway() -> Taking:
    return Taking()


@pytest.fixture
def town(gateway: Taking, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(need_routes, "_alike", nothing)
    with house(gateway=gateway) as made:
        yield made


def read_over(browser: TestClient, **changes: str) -> dict[str, str]:
    """The form as the page on which it is read over sends it."""
    token = token_of(browser.get("/compte"))
    page = browser.post("/signaler", data={"jeton": token, **TYPED, **changes})
    assert "Relire avant de publier" in page.text
    return {**Hidden(page.text).fields, "etape": "publier"}


def accepted(event: dict[str, object]) -> Accepted:
    return validate(orjson.dumps(event), NOW, TERRITORIES)


def test_what_the_gateway_refuses_is_said_beside_its_field(
    town: House, gateway: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        sentence = "Le champ description est refusé : il nomme quelqu'un."
        raise RefusedByGatewayError(sentence, (("/data/description", sentence),))

    monkeypatch.setattr(gateway, "publish", refuse)
    paul = town.signed_in(PAUL)
    answer = paul.post("/signaler", data=read_over(paul, description="Un texte."))
    assert answer.status_code == 422
    assert 'id="faute-description">Le champ « Précisions » est refusé' in unescape(words_of(answer))
    assert "champ description" not in answer.text


def test_a_correction_is_a_newer_version_of_the_same_record(town: House, gateway: Taking) -> None:
    paul = town.signed_in(PAUL)
    paul.post("/signaler", data=read_over(paul))
    town.clock.move(minutes=5)
    paul.post("/signaler", data=read_over(paul, titre="Bornes de recharge rapide"))
    first, second = (accepted(one) for one in gateway.events)
    assert first.key == second.key
    assert first.event.id != second.event.id
    assert first.version < second.version
    assert second.raw["data"]["title"] == "Bornes de recharge rapide"


def test_a_need_that_is_sent_twice_is_said_once(town: House, gateway: Taking) -> None:
    paul = town.signed_in(PAUL)
    form = read_over(paul)
    paul.post("/signaler", data=form)
    town.clock.move(hours=15)  # past midnight: what « bientôt » means has moved
    paul = town.signed_in(PAUL)
    paul.post("/signaler", data={**form, "jeton": token_of(paul.get("/compte"))})
    first, second = (accepted(one) for one in gateway.events)
    assert (first.event.id, first.hash) == (second.event.id, second.hash)


def test_a_need_that_is_corrected_does_not_resemble_itself(
    town: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = opportunity_id(f"urn:siren:{MARSEILLE}:pages", REFERENCE)

    async def two(*_: object) -> list[dict[str, object]]:
        shown = {"institutions": [{"name": "Ville de Marseille"}], "status_label": "Signalé"}
        return [{"id": own, "title": "Bornes", **shown}, {"id": "b" * 16, "title": "IRVE", **shown}]

    monkeypatch.setattr(need_routes, "_alike", two)
    paul = town.signed_in(PAUL)
    token = token_of(paul.get("/compte"))
    page = paul.post("/signaler", data={"jeton": token, **TYPED}).text
    assert f"/fiche/{'b' * 16}" in page
    assert f"/fiche/{own}" not in page


@pytest.mark.parametrize("said", ["", "hier", "2999-01-01T00:00:00+00:00", "2026-01-01T00:00:00"])
def test_an_instant_of_somebody_elses_making_is_the_present(
    town: House, gateway: Taking, said: str
) -> None:
    paul = town.signed_in(PAUL)
    paul.post("/signaler", data={**read_over(paul), "relu": said})
    assert gateway.events[0]["time"] == "2026-03-12T10:00:00.000000Z"


@pytest.mark.parametrize(
    ("trace", "heading", "told"),
    [
        (None, "Le besoin est reçu", "Voir ce qu’il devient"),
        ({"end": None, "label": "Accepté"}, "Le besoin est reçu", "Voir ce qu’il devient"),
        ({"end": "searchable", "label": "Trouvable"}, "Le besoin paraît", "Corriger ce besoin"),
        (
            {"end": "rejected", "label": "Refusé", "sentence": "Ce lieu n’est pas connu."},
            "Le besoin est refusé",
            "Ce lieu n’est pas connu.",
        ),
        ({"end": "superseded", "label": "Dépassé"}, "Le besoin a été corrigé depuis", "fiche"),
        ({"end": "withdrawn", "label": "Retiré"}, "Le besoin ne paraît pas", "Retiré."),
    ],
)
def test_the_page_says_what_became_of_it(
    town: House, gateway: Taking, trace: dict[str, str] | None, heading: str, told: str
) -> None:
    paul = town.signed_in(PAUL)
    sent = paul.post("/signaler", data=read_over(paul))
    assert sent.status_code == 303
    if trace is not None:
        gateway.traces[gateway.events[0]["id"]] = trace
    page = paul.get(sent.headers["location"])
    assert f"<h1>{heading}</h1>" in page.text
    assert told in page.text


def test_the_form_of_a_published_need_says_the_same_again() -> None:
    source = f"urn:siren:{MARSEILLE}:pages"
    document = {
        "title": "Bornes",
        "subtype": "purchase",
        "place": ["com:93066"],
        "window": {"from": "2026-03-01", "to": "2026-06-01"},
        "amounts": [{"value": 12000.5, "kind": "estimate"}],
        "visibility": "members",
        "sources": [{"source": source, "subject": REFERENCE}],
    }
    assert own_reference(document, MARSEILLE) == REFERENCE
    assert own_reference(document, "181300013") is None
    form = published_form(document, REFERENCE, NOW, TERRITORIES)
    assert (form.when, form.amount) == ("bientot", "12000.50")
    seen = checked(form, TERRITORIES)
    assert seen.data is not None
    assert seen.data["place"] == ["com:93066"]
    assert seen.data["amounts"][0]["value"] == 12000.5
    assert seen.data["visibility"] == "members"


def test_a_search_that_found_nothing_is_the_beginning_of_a_need(town: House) -> None:
    """As it was typed, as far as a title goes."""
    paul = town.signed_in(PAUL)
    page = paul.get("/signaler", params={"besoin": "  bornes   incendie "}).text
    assert 'name="titre" value="bornes incendie"' in page
    page = paul.get("/signaler", params={"besoin": "x" * 900}).text
    assert f'name="titre" value="{"x" * 200}"' in page


@pytest.mark.parametrize(
    ("service", "reach", "contact"),
    [
        (
            " Service  des marchés ",
            "m@exemple.fr",
            {"name": "Service des marchés", "email": "m@exemple.fr"},
        ),
        ("", "04 91 00 00 00", {"phone": "04 91 00 00 00"}),
        ("", "+33 (0)4.91.00-00-00", {"phone": "+33 (0)4.91.00-00-00"}),
        ("Mairie", "", {"name": "Mairie"}),
        ("", "", None),
    ],
)
def test_who_signals_a_need_says_to_whom_to_answer_and_corrects_it(
    town: House, gateway: Taking, service: str, reach: str, contact: dict[str, str] | None
) -> None:
    paul = town.signed_in(PAUL)
    paul.post("/signaler", data=read_over(paul, service=service, joindre=reach))
    record = accepted(gateway.events[-1]).raw["data"]
    assert record.get("contact") == contact
    source = {"source": f"urn:siren:{MARSEILLE}:pages", "subject": REFERENCE}
    form = published_form({**record, "sources": [source]}, REFERENCE, NOW, TERRITORIES)
    again = checked(form, TERRITORIES).data
    assert again is not None and again.get("contact") == contact


@pytest.mark.parametrize("reach", ["Jean", "marches@", "04", "m@exemple.fr ou 04 91 00 00 00"])
def test_what_nobody_can_write_to_or_call_is_said_beside_its_field(town: House, reach: str) -> None:
    paul = town.signed_in(PAUL)
    sent = {**TYPED, "jeton": token_of(paul.get("/compte")), "joindre": reach}
    answer = paul.post("/signaler", data=sent)
    assert answer.status_code == 422
    assert 'id="faute-joindre">Écrivez une adresse électronique' in answer.text
    assert f'name="joindre" value="{reach}"' in answer.text


def test_who_corrects_a_need_is_told_so_until_it_is_published(
    town: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the form as it comes, and as it comes back with what is to be mended or said anew."""
    source = {"source": f"urn:siren:{MARSEILLE}:pages", "subject": REFERENCE}
    held: dict[str, object] = {
        "title": "Bornes",
        "subtype": "purchase",
        "place": ["com:13005"],
        "visibility": "buyers",
        "sources": [source],
    }

    async def document(*_: object) -> dict[str, object]:
        return held

    monkeypatch.setattr(Searcher, "document", document)
    paul = town.signed_in(PAUL)
    first = paul.get("/signaler", params={"corriger": REFERENCE})
    fields = {**TYPED, **Hidden(first.text).fields}
    mended = paul.post("/signaler", data={**fields, "montant": "beaucoup"})
    confirmed = Hidden(paul.post("/signaler", data=fields).text).fields
    anew = paul.post("/signaler", data={**confirmed, "etape": "corriger"})
    for page in (first, mended, anew):
        assert "<h1>Corriger un besoin</h1>" in page.text
        assert "remplacera ce qui est paru" in page.text
    assert "<h1>Signaler un besoin</h1>" in paul.get("/signaler").text
