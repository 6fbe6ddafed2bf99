"""Subscriptions: whose they are, who changes them, and what a stranger tries."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.search_api.accounts.people import CHAMBER, MARSEILLE, NOW, PEOPLE, token_of, words_of
from tests.search_api.alerts.household import Household, household, subscription
from traverse_schemas.registry.registry import FixedRegistry
from traverse_search_api.access.reader import Reader
from traverse_search_api.accounts.account_changes import disable
from traverse_search_api.alerts.dry_run import sentence
from traverse_search_api.alerts.errors import RefusedSubscriptionError
from traverse_search_api.alerts.subscription import (
    Channel,
    Disabled,
    Owner,
    decode_subscription,
    encode_subscription,
    reader_for,
)
from traverse_search_api.alerts.wish import Wish, search_of, subscription_of

LEA, PAUL, INES, OMAR = (one.email for one in PEOPLE[:4])
HERS = subscription()
OF_THE_CITY = subscription(account="", name="par programme")


@pytest.fixture(scope="module")
def people() -> Iterator[Household]:
    with household(HERS, OF_THE_CITY) as made:
        yield made


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"geste": "pause"}, "est en pause : rien n’en est envoyé jusqu’à la reprise."),
        ({"geste": "reprendre"}, "est enregistrée."),
        ({"geste": "changer", "nom": "Repas"}, "L’alerte « Repas » est enregistrée."),
    ],
)
def test_who_changes_an_alert_is_told_what_became_of_it(sent: dict[str, str], told: str) -> None:
    with household(HERS) as own:
        lea = own.house.signed_in(LEA)
        token = token_of(lea.get("/alertes"))
        answer = lea.post(f"/alertes/{HERS.id}", data={"jeton": token, **sent})
        assert told in words_of(lea.get(answer.headers["location"]))
        # Another's, and one that is none, tell nothing.
        assert 'class="done"' not in lea.get("/alertes?changee=zzzz").text


def test_one_finds_changes_and_deletes_one_s_own(people: Household) -> None:
    lea = people.house.signed_in(LEA)
    page = lea.get("/alertes")
    assert "cantines" in page.text and "par programme" not in page.text
    listed = lea.get("/v1/subscriptions").json()["items"]
    assert [one["id"] for one in listed] == [HERS.id]
    assert "secret" not in listed[0]
    answer = lea.patch(f"/v1/subscriptions/{HERS.id}", json={"rhythm": "weekly", "name": "à moi"})
    assert (answer.json()["rhythm"], answer.json()["name"]) == ("weekly", "à moi")
    token = token_of(page)
    paused = lea.post(f"/alertes/{HERS.id}", data={"jeton": token, "geste": "pause"})
    assert paused.status_code == 303 and people.table.rows()[HERS.id].muted
    assert "en pause" in lea.get("/alertes").text
    lea.post(f"/alertes/{HERS.id}", data={"jeton": token, "geste": "reprendre"})
    assert not people.table.rows()[HERS.id].muted
    again = subscription(name="à supprimer")
    people.table.put(again.id, again)
    assert lea.delete(f"/v1/subscriptions/{again.id}").status_code == 204
    assert again.id not in people.table.rows()


def test_an_alert_is_deleted_on_the_page_once_that_was_confirmed(people: Household) -> None:
    """The question says what ends with it, and reading it deletes nothing."""
    row = subscription(name="à <b>supprimer</b>")
    people.table.put(row.id, row)
    lea = people.house.signed_in(LEA)
    address = f"/alertes/{row.id}/suppression"
    page = lea.get("/alertes")
    assert f'href="{address}"' in page.text and "supprimée" not in page.text
    question = lea.get(address)
    assert "Supprimer cette alerte ?" in words_of(question)
    assert "adresses privées" in question.text and "&lt;b&gt;" in question.text
    # A page that was loaded before had a button of this name.
    lea.post(f"/alertes/{row.id}", data={"jeton": token_of(page), "geste": "supprimer"})
    assert row.id in people.table.rows()
    done = lea.post(address, data={"jeton": token_of(question)})
    assert row.id not in people.table.rows()
    assert "L’alerte est supprimée." in lea.get(done.headers["location"]).text
    # What says so is an address: another's, or one that anybody wrote, says nothing.
    omar = people.house.signed_in(OMAR)
    assert "supprimée" not in omar.get(done.headers["location"]).text
    assert "supprimée" not in lea.get("/alertes?supprimee=oui").text


def test_deleting_twice_says_that_it_is_done_and_nothing_of_others_alerts(
    people: Household,
) -> None:
    """One that is gone, another's and one that never was are answered alike, to the letter."""
    row = subscription(name="à supprimer")
    people.table.put(row.id, row)
    lea = people.house.signed_in(LEA)
    token = token_of(lea.get("/compte"))
    assert lea.post(f"/alertes/{row.id}/suppression", data={"jeton": token}).status_code == 303
    said = set()
    for identifier in (row.id, OF_THE_CITY.id, "f" * len(row.id)):
        address = f"/alertes/{identifier}/suppression"
        page, second = lea.get(address), lea.post(address, data={"jeton": token})
        answer = lea.delete(f"/v1/subscriptions/{identifier}")
        assert (page.status_code, second.status_code, answer.status_code) == (404, 404, 404)
        assert words_of(page) == words_of(second)
        said.add((words_of(page).replace(identifier, ""), answer.json()["detail"]))
    ((words, detail),) = said
    assert "Si vous venez de la supprimer, c’est fait : rien ne vous en parviendra plus." in words
    assert "si vous l’avez supprimée, c’est fait" in detail
    assert 'href="/alertes">Voir vos alertes</a>' in page.text
    assert "identifiant" not in words


def test_the_note_of_a_week_is_asked_for_in_one_click_and_only_by_e_mail(
    people: Household,
) -> None:
    paul = people.house.signed_in(PAUL)
    token = token_of(paul.get("/compte"))
    for _ in range(2):  # who clicks twice means one
        answer = paul.post("/alertes/note", data={"jeton": token, "lieu": "com:13055"})
        assert answer.status_code == 303
    (made,) = paul.get("/v1/subscriptions").json()["items"]
    assert made["note"] and made["search"] == {"territory": ["com:13055"]}
    page = paul.get(answer.headers["location"])
    assert "Note du comité stratégique : Marseille (13)" in words_of(page)
    assert "chaque lundi" in page.text and "Adresses privées" not in page.text
    assert "est en place" in page.text
    refused = paul.patch(f"/v1/subscriptions/{made['id']}", json={"channel": "feed"})
    assert refused.status_code == 422 and "courriel" in refused.text
    strange = paul.post("/alertes/note", data={"jeton": token, "lieu": "com:99999"})
    assert strange.status_code == 422
    assert paul.post("/alertes/note", data={"lieu": "fr"}).status_code == 403
    assert paul.delete(f"/v1/subscriptions/{made['id']}").status_code == 204


@pytest.mark.parametrize(
    "stopped",
    [{"muted": True}, {"disabled": Disabled(at=NOW, sentence="https://exemple.org se tait.")}],
)
def test_who_asks_anew_for_an_alert_that_is_stopped_takes_it_up_again(
    people: Household, stopped: dict[str, Any]
) -> None:
    paul = people.house.signed_in(PAUL)
    token = token_of(paul.get("/compte"))
    sent = {"jeton": token, "lieu": "com:13005"}
    assert paul.post("/alertes/note", data=sent).status_code == 303
    (made,) = paul.get("/v1/subscriptions").json()["items"]
    row = people.table.rows()[made["id"]]
    people.table.put(row.id, row.model_copy(update=stopped))
    answer = paul.post("/alertes/note", data=sent)
    (again,) = paul.get("/v1/subscriptions").json()["items"]
    row = people.table.rows()[again["id"]]
    assert (again["id"], row.muted, row.disabled) == (made["id"], False, None)
    assert "était arrêtée : les envois reprennent" in words_of(paul.get(answer.headers["location"]))
    assert paul.delete(f"/v1/subscriptions/{made['id']}").status_code == 204


@pytest.mark.parametrize("email", [PAUL, OMAR, INES])
def test_nobody_reaches_another_s_whatever_they_try(people: Household, email: str) -> None:
    """IDOR: neither a colleague, nor another institution, nor who administers both."""
    stranger = people.house.signed_in(email)
    token = token_of(stranger.get("/compte"))
    before = dict(people.table.rows())
    for row in (HERS, OF_THE_CITY):
        address = f"/v1/subscriptions/{row.id}"
        assert stranger.get(address).status_code == 404
        assert stranger.patch(address, json={"muted": True}).status_code == 404
        assert stranger.delete(address).status_code == 404
        assert stranger.post(f"{address}/redelivery").status_code == 404
        for deed in ("changer", "pause"):
            answer = stranger.post(f"/alertes/{row.id}", data={"jeton": token, "geste": deed})
            assert answer.status_code == 404
        assert stranger.get(f"/alertes/{row.id}/suppression").status_code == 404
        deleted = stranger.post(f"/alertes/{row.id}/suppression", data={"jeton": token})
        assert deleted.status_code == 404
    assert stranger.get("/v1/subscriptions").json()["items"] == []
    assert dict(people.table.rows()) == before


def test_nothing_is_done_for_who_has_not_said_who_they_are(people: Household) -> None:
    nobody = people.house.visitor()
    for unknown in (nobody.get("/v1/subscriptions"), nobody.post("/v1/subscriptions", json={})):
        assert unknown.status_code == 401
        assert unknown.headers["www-authenticate"] == "Bearer"
        assert "Authorization: Bearer" in unknown.json()["detail"]
    assert nobody.get("/alertes").headers["location"] == "/connexion?vers=%2Falertes"
    wrong = {"Authorization": "Bearer trv_no_key_of_ours"}
    assert nobody.get("/v1/subscriptions", headers=wrong).status_code == 401


def test_another_site_has_nothing_done_in_somebody_s_name(people: Household) -> None:
    """CSRF: no token, a token of another, another site's origin, a form that says it is JSON."""
    lea = people.house.signed_in(LEA)
    theirs = token_of(people.house.signed_in(OMAR).get("/compte"))
    before = dict(people.table.rows())
    for token in ("", "0" * 32, theirs):
        sent = {"jeton": token, "recherche": "q=x", "geste": "pause"}
        assert lea.post("/alertes", data=sent).status_code == 403
        assert lea.post(f"/alertes/{HERS.id}", data=sent).status_code == 403
        assert lea.post(f"/alertes/{HERS.id}/suppression", data=sent).status_code == 403
    elsewhere = {"Origin": "https://evil.example"}
    address = f"/v1/subscriptions/{HERS.id}"
    assert lea.delete(address, headers=elsewhere).status_code == 403
    assert lea.patch(address, json={"muted": True}, headers=elsewhere).status_code == 403
    plain = {"Content-Type": "text/plain"}
    assert lea.patch(address, content=b'{"muted":true}', headers=plain).status_code == 422
    assert dict(people.table.rows()) == before


def test_a_private_address_opens_with_its_token_alone(people: Household) -> None:
    mailer = people.house.visitor()
    right = f"/desabonnement/{HERS.id}/{HERS.token('unsubscribe')}"
    for wrong in (
        f"/desabonnement/{HERS.id}/{HERS.token('feed')}",
        f"/desabonnement/{OF_THE_CITY.id}/{'0' * 40}",
        f"/abonnement/{HERS.id}/{HERS.token('unsubscribe')}.rss",
    ):
        assert mailer.get(wrong).status_code == 404
    # A program that only looks at the links of an e-mail unsubscribes nobody.
    assert "Me désabonner" in mailer.get(right).text
    assert not people.table.rows()[HERS.id].muted
    answer = mailer.post(right, content=b"List-Unsubscribe=One-Click")
    assert answer.status_code == 200 and people.table.rows()[HERS.id].muted


def test_what_is_typed_is_shown_and_not_run(people: Household) -> None:
    evil = subscription(name='<script>alert("x")</script>', search={"q": ["<b>"]})
    people.table.put(evil.id, evil)
    page = people.house.signed_in(LEA).get("/alertes").text
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_an_email_goes_to_one_s_own_account_and_to_no_stranger(people: Household) -> None:
    lea = people.house.signed_in(LEA)
    for email in (PAUL, OMAR, "stranger@else.example"):
        answer = lea.patch(f"/v1/subscriptions/{HERS.id}", json={"email": email})
        assert answer.status_code == 422, email


def test_a_search_that_cannot_be_followed_is_refused_in_words() -> None:
    with pytest.raises(RefusedSubscriptionError, match="theme"):
        search_of({"theme": "nonsense"})
    with pytest.raises(RefusedSubscriptionError, match="adresse"):
        subscription_of(
            Wish(channel=Channel.WEBHOOK), Owner(MARSEILLE), NOW, name="x", recipient=None,
            webhook=None,
        )  # fmt: skip
    # What says how one looks at a page says nothing of what is followed.
    kept = subscription_of(
        Wish(search={"q": "eau", "sort": "amount", "size": "5", "as_of": "2020-01-01"},
             channel=Channel.FEED),
        Owner(MARSEILLE), NOW, name="x", recipient=None, webhook=None,
    )  # fmt: skip
    assert kept.search == {"q": ["eau"]}
    assert decode_subscription(encode_subscription(kept)) == kept


def test_a_subscription_reads_what_its_owner_may_read_now(people: Household) -> None:
    directory, registry = people.house.staff.directory, people.house.staff.registry.view()
    assert reader_for(HERS, registry, directory, NOW) == Reader(MARSEILLE, buyer=True)
    assert reader_for(OF_THE_CITY, registry, directory, NOW) == Reader(MARSEILLE, buyer=True)
    moved = HERS.model_copy(update={"siren": CHAMBER})
    assert reader_for(moved, registry, directory, NOW) is None
    gone = subscription(account="0" * 16)
    assert reader_for(gone, registry, directory, NOW) is None
    assert reader_for(HERS, FixedRegistry().view(), directory, NOW) is None
    row = people.house.row(LEA)
    people.house.table.put(row.id, disable(row, NOW))
    assert reader_for(HERS, registry, directory, NOW) is None


def test_the_dry_run_says_it_in_french() -> None:
    assert sentence(14) == "Cette alerte aurait donné 14 résultats ces 30 derniers jours."
    assert sentence(1) == "Cette alerte aurait donné 1 résultat ces 30 derniers jours."
    assert sentence(0) == "Cette alerte n’aurait rien donné ces 30 derniers jours."


def test_a_search_that_cannot_be_followed_is_told_by_the_name_of_its_filter(
    people: Household,
) -> None:
    paul = people.house.signed_in(PAUL)
    token = token_of(paul.get("/compte"))
    answer = paul.post("/alertes", data={"jeton": token, "recherche": "kind=chose"})
    assert answer.status_code == 422
    assert "Le filtre « Nature » n’admet pas « chose »" in words_of(answer)
