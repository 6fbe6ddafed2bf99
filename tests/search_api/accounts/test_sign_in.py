"""Signing in with a password: who may, for how long, and what a stranger tries."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from starlette.requests import Request

from tests.search_api.accounts.people import (
    CHAMBER,
    MARSEILLE,
    PEOPLE,
    SITE,
    House,
    house,
    routes_of,
    sign_in,
    token_of,
    words_of,
)
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.access.ways import Readers, Visitors
from traverse_search_api.accounts.account import Identity, StaffRole
from traverse_search_api.accounts.account_changes import (
    close_sessions,
    disable,
    with_password,
    with_role,
)
from traverse_search_api.accounts.errors import NotAllowedError
from traverse_search_api.accounts.passwords import Passwords, WeakPasswordError, check_password

LEA, PAUL, INES, OMAR = (one.email for one in PEOPLE[:4])


@pytest.fixture(scope="module")
def shared() -> Iterator[House]:
    """One service for the tests that change nobody's account."""
    with house() as made:
        yield made


@pytest.fixture
def own() -> Iterator[House]:
    """A service of the test's own."""
    with house() as made:
        yield made


def test_who_signs_in_comes_where_they_were_going_and_it_is_written_down(shared: House) -> None:
    visitor = shared.visitor()
    answer = sign_in(visitor, "  LEA@Marseille.example ", towards="/compte")
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte")
    page = visitor.get("/compte")
    assert "Léa Roux" in page.text and "Ville de Marseille" in page.text
    assert page.headers["cache-control"] == "no-store"
    event = shared.audit.events[-1]
    assert event["type"] == "fr.traverse.staff.signed_in.v1"
    assert event["source"] == f"urn:siren:{MARSEILLE}"
    assert LEA not in str(event) and "Roux" not in str(event)


def test_the_cookie_of_a_session_is_for_this_host_over_tls_and_no_script(shared: House) -> None:
    answer = sign_in(shared.visitor(), LEA)
    cookie = next(
        value for value in answer.headers.get_list("set-cookie") if "__Host-traverse=" in value
    )
    for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax", "Max-Age=3600"):
        assert word in cookie
    assert "Domain" not in cookie
    with house(public_address="http://127.0.0.1:8000") as plain:
        visitor = plain.visitor()
        visitor.base_url = "http://127.0.0.1:8000"
        cookies = sign_in(visitor, LEA).headers.get_list("set-cookie")
        assert any(value.startswith("traverse=") and "Secure" not in value for value in cookies)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (LEA, "pas le bon mot de passe"),
        (LEA, ""),
        (LEA, "x" * 60_000),
        ("personne@nulle.example", "cinq mots pour entrer ici"),
        ("\U0001f600 pas une adresse", "cinq mots pour entrer ici"),
    ],
)
def test_what_is_wrong_is_said_in_the_same_words(shared: House, email: str, password: str) -> None:
    answer = sign_in(shared.visitor(), email, password)
    assert answer.status_code == 403
    assert "n’est pas le bon, ou ce compte ne peut pas servir" in answer.text
    assert "__Host-traverse=" not in str(answer.headers)


def test_who_acts_for_nobody_or_has_a_closed_account_does_not_come_in(own: House) -> None:
    assert sign_in(own.visitor(), "sans@personne.example").status_code == 403
    row = own.row(LEA)
    own.table.put(row.id, disable(row, own.clock.at))
    assert sign_in(own.visitor(), LEA).status_code == 403


def test_guessing_is_slowed_down_for_the_account_and_for_the_machine(own: House) -> None:
    visitor = own.visitor()
    for _ in range(10):
        assert sign_in(visitor, LEA, "pas le bon mot de passe").status_code == 403
    slowed = sign_in(visitor, LEA)
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) == 900
    assert sign_in(visitor, PAUL).status_code == 303
    assert own.audit.deeds.count("sign_in_refused") == 10


def test_the_id_of_a_visit_is_new_once_somebody_has_signed_in(shared: House) -> None:
    """Fixation: what an attacker put into the browser before is worth nothing after."""
    mark = "known-to-the-attacker"
    visitor = shared.visitor()
    attacker = shared.signed_in(OMAR)
    theirs = attacker.cookies["__Host-traverse"]
    visitor.cookies.set("__Host-traverse-entree", mark, domain="traverse.example")
    token = shared.staff.visits.sessions.form_token(f"entrance {mark}")
    answer = visitor.post(
        "/connexion",
        data={
            "jeton": token,
            "vers": "/",
            "email": LEA,
            "mot-de-passe": "cinq mots pour entrer ici",
        },
    )
    assert answer.status_code == 303
    session = visitor.cookies["__Host-traverse"]
    assert session != theirs and mark not in session
    assert not visitor.cookies.get("__Host-traverse-entree")
    # The token of before opens nothing now.
    assert visitor.post("/compte/sessions", data={"jeton": token}).status_code == 403
    # And two sessions of one person have nothing in common.
    assert shared.signed_in(LEA).cookies["__Host-traverse"] != session


def test_a_session_ends_unused_after_an_hour_and_in_use_after_twelve(own: House) -> None:
    visitor = own.signed_in(LEA)
    for _ in range(15):
        own.clock.move(minutes=45)
        visitor.get("/compte")
    assert visitor.get("/compte").status_code == 200
    own.clock.move(minutes=61)
    assert visitor.get("/compte").headers["location"] == "/connexion?vers=%2Fcompte"
    longest = own.signed_in(LEA)
    for _ in range(17):
        own.clock.move(minutes=45)
        longest.get("/compte")
    assert longest.get("/compte").status_code == 303


def test_signing_out_ends_the_session_wherever_its_cookie_went(own: House) -> None:
    visitor = own.signed_in(LEA)
    stolen = own.visitor()
    stolen.cookies.update(visitor.cookies)
    assert stolen.get("/compte").status_code == 200
    other = own.signed_in(LEA)
    answer = visitor.post("/deconnexion", data={"jeton": token_of(visitor.get("/compte"))})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert stolen.get("/compte").status_code == 303
    assert other.get("/compte").status_code == 200


@pytest.mark.parametrize("how", ["closed", "disabled", "password", "role", "removed"])
def test_a_session_is_revoked_at_once(own: House, how: str) -> None:
    visitor = own.signed_in(LEA)
    row = own.row(LEA)
    own.clock.move(seconds=1)
    match how:
        case "closed":
            own.table.put(row.id, close_sessions(row, own.clock.at))
        case "disabled":
            own.table.put(row.id, disable(row, own.clock.at))
        case "password":
            own.table.put(row.id, with_password(row, "autre", own.clock.at))
        case "role":
            own.table.put(row.id, row.model_copy(update={"memberships": ()}))
        case "removed":
            own.table.delete(row.id)
    assert visitor.get("/compte").status_code == 303


@pytest.mark.parametrize("spoil", ["x", "", "AAAA", "é"])
def test_a_cookie_that_is_not_ours_is_nobody(shared: House, spoil: str) -> None:
    visitor = shared.signed_in(LEA)
    value = visitor.cookies["__Host-traverse"]
    answer = shared.visitor().get(
        "/compte", headers={"cookie": f"__Host-traverse={spoil}{value[1:]}".encode()}
    )
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "towards",
    [
        "https://mechant.example/",
        "//mechant.example",
        "/\\mechant.example",
        "\\\\mechant.example",
        "/%0d%0aSet-Cookie:x",
        "javascript:alert(1)",
        "/\t/mechant.example",
        " //mechant.example",
        "http:mechant.example",
        "/x\r\nLocation: https://mechant.example",
        "@mechant.example",
    ],
)
def test_signing_in_leads_to_no_other_site(shared: House, towards: str) -> None:
    answer = sign_in(shared.visitor(), LEA, towards=towards)
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location in ("/", "/%0d%0aSet-Cookie:x")
    signed = shared.signed_in(LEA).get("/connexion", params={"vers": towards})
    assert signed.headers["location"] == location


def test_every_form_needs_the_token_of_who_sends_it(shared: House) -> None:
    """CSRF: every POST of the service, without a token, with another's, and from another site."""
    posts = [route.path for route in routes_of(shared.client) if "POST" in (route.methods or ())]
    assert "/deconnexion" in posts and "/connexion" in posts
    # The API takes no form, and its own test tries it; who unsubscribes from an e-mail has no
    # cookie, but an address that nobody guesses.
    posts = [path for path in posts if not path.startswith(("/v1/", "/desabonnement/"))]
    visitor, other = shared.signed_in(INES), shared.signed_in(OMAR)
    right, wrong = (token_of(one.get("/compte")) for one in (visitor, other))
    before = len(shared.audit.events)
    for path in posts:
        address = path.format(identifier=shared.row(PAUL).id, name="inbound-0@1")
        for data in ({}, {"jeton": ""}, {"jeton": wrong}):
            answer = visitor.post(address, data=data)
            assert answer.status_code in (403, 413), (path, answer.status_code)
        for headers in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "https://mechant.example"},
            {"origin": "null"},
        ):
            answer = visitor.post(address, data={"jeton": right}, headers=headers)
            assert answer.status_code == 403, (path, headers)
        visitor.get(address)  # reading does nothing
    assert shared.audit.events[before:] == []


def test_a_form_is_read_within_bounds(shared: House) -> None:
    visitor = shared.signed_in(INES)
    token = token_of(visitor.get("/compte"))
    for content, kind in (
        (b"jeton=" + token.encode() + b"&x=" + b"x" * 70_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(200)), "application/x-www-form-urlencoded"),
        (b"jeton=%ff", "application/x-www-form-urlencoded"),
        (b'{"jeton": 1}', "application/json"),
    ):
        answer = visitor.post("/deconnexion", content=content, headers={"content-type": kind})
        assert answer.status_code == 413
    assert visitor.get("/compte").status_code == 200


def test_one_may_act_for_ones_own_institutions_alone(shared: House) -> None:
    visitor = shared.signed_in(INES)
    page = visitor.get("/compte")
    assert "CCI Aix-Marseille-Provence" in page.text
    answer = visitor.post("/compte/institution", data={"jeton": token_of(page), "siren": CHAMBER})
    assert answer.status_code == 303
    assert "pour CCI Aix-Marseille-Provence" in visitor.get("/compte").text
    omar = shared.signed_in(OMAR)
    refused = omar.post(
        "/compte/institution", data={"jeton": token_of(omar.get("/compte")), "siren": MARSEILLE}
    )
    assert refused.status_code == 403
    assert "Ville de Marseille" not in omar.get("/compte").text


def test_an_administrator_changes_the_people_of_the_own_institution_alone(own: House) -> None:
    """IDOR: the address of somebody else's account opens nothing."""
    ines, paul, omar = own.signed_in(INES), own.signed_in(PAUL), own.signed_in(OMAR)
    own.clock.move(seconds=1)
    page = ines.get("/compte")
    assert "paul@marseille.example" in page.text and "omar@cci.example" not in page.text
    token = token_of(page)
    for target, status in ((OMAR, 404), (PAUL, 303)):
        for action, data in (("role", {"role": "reader"}), ("sessions", {})):
            answer = ines.post(
                f"/compte/personnes/{own.row(target).id}/{action}", data={"jeton": token, **data}
            )
            assert answer.status_code == status, (target, action)
    assert own.row(PAUL).role_for(MARSEILLE) is StaffRole.READER
    assert paul.get("/compte").status_code == 303
    assert own.row(OMAR).role_for(CHAMBER) is StaffRole.ADMINISTRATOR
    assert omar.get("/compte").status_code == 200
    lea = own.signed_in(LEA)
    answer = lea.post(
        f"/compte/personnes/{own.row(INES).id}/role",
        data={"jeton": token_of(lea.get("/compte")), "role": "reader"},
    )
    assert answer.status_code == 403
    assert "role_changed" in own.audit.deeds and "sessions_closed" in own.audit.deeds


def test_an_administrator_unbinds_an_account_once_that_was_confirmed(own: House) -> None:
    """Of the own institution alone, never one's own; reading the question does nothing."""
    bound = Identity(issuer="https://fournisseur.example", subject="x")
    for email in (PAUL, OMAR, INES):
        own.table.put(own.row(email).id, own.row(email).model_copy(update={"identity": bound}))
    ines, paul, lea = own.signed_in(INES), own.signed_in(PAUL), own.signed_in(LEA)
    own.clock.move(seconds=1)
    address = f"/compte/personnes/{own.row(PAUL).id}/identite"
    assert address in ines.get("/compte").text
    question = ines.get(address)
    assert "Délier ce compte ?" in words_of(question) and PAUL in question.text
    assert own.row(PAUL).identity == bound
    form = {"jeton": token_of(question)}
    for target, status in ((OMAR, 404), (INES, 403)):
        refused = ines.post(f"/compte/personnes/{own.row(target).id}/identite", data=form)
        assert refused.status_code == status
        assert own.row(target).identity == bound
    assert lea.get(address).status_code == 403
    assert lea.post(address, data={"jeton": token_of(lea.get("/compte"))}).status_code == 403
    assert "identity_unbound" not in own.audit.deeds
    done = ines.post(address, data=form)
    assert (done.status_code, done.headers["location"]) == (
        303,
        f"/compte?delie={own.row(PAUL).id}",
    )
    assert own.row(PAUL).identity is None
    assert paul.get("/compte").status_code == 303
    assert f"{PAUL} est délié" in ines.get(done.headers["location"]).text
    event = own.audit.events[-1]
    assert event["type"] == "fr.traverse.staff.identity_unbound.v1"
    assert (event["subject"], event["data"]) == (own.row(INES).id, {"of": own.row(PAUL).id})
    # Sent twice, it is done once.
    assert ines.post(address, data=form).headers["location"] == "/compte"
    assert own.audit.deeds.count("identity_unbound") == 1


def test_who_alone_administers_is_told_why_not_oneself_and_who_does_it(own: House) -> None:
    """The page says it, and so do the question and the forms that one may still send."""
    bound = Identity(issuer="https://fournisseur.example", subject="ines")
    own.table.put(own.row(INES).id, own.row(INES).model_copy(update={"identity": bound}))
    ines = own.signed_in(INES)
    own.clock.move(seconds=1)
    page = ines.get("/compte")
    assert "ni délier votre identité" in page.text
    assert "personne d’autre n’administre cette institution" in page.text
    below = f"/compte/personnes/{own.row(INES).id}"
    form = {"jeton": token_of(page), "role": "reader"}
    for answer in (
        ines.get(f"{below}/identite"),
        ines.post(f"{below}/identite", data=form),
        ines.post(f"{below}/role", data=form),
    ):
        assert answer.status_code == 403
        assert "donnez d’abord ce rôle à quelqu’un" in answer.text
        assert "Votre rôle pour" not in answer.text
    paul = own.row(PAUL)
    own.table.put(paul.id, with_role(paul, MARSEILLE, StaffRole.ADMINISTRATOR))
    assert "une autre personne qui administre (Paul Blanc)" in ines.get("/compte").text
    # One whose account is closed does nothing for anybody.
    own.table.put(paul.id, disable(own.row(PAUL), own.clock.at))
    assert "personne d’autre n’administre" in ines.get("/compte").text
    assert own.row(INES).identity == bound
    assert own.row(INES).role_for(MARSEILLE) is StaffRole.ADMINISTRATOR


def test_who_leaves_an_institution_loses_at_once_what_it_gave(own: House) -> None:
    ines, paul = own.signed_in(INES), own.signed_in(PAUL)
    assert paul.get("/compte").status_code == 200
    own.clock.move(seconds=1)
    answer = ines.post(
        f"/compte/personnes/{own.row(PAUL).id}/role",
        data={"jeton": token_of(ines.get("/compte")), "role": ""},
    )
    assert answer.status_code == 303
    assert own.row(PAUL).role_for(MARSEILLE) is None
    assert PAUL not in ines.get("/compte").text
    assert paul.get("/compte").headers["location"] == "/connexion?vers=%2Fcompte"
    assert sign_in(own.visitor(), PAUL).status_code == 403


def test_who_administers_cannot_shut_themselves_out(own: House) -> None:
    ines = own.signed_in(INES)
    answer = ines.post(
        f"/compte/personnes/{own.row(INES).id}/role",
        data={"jeton": token_of(ines.get("/compte")), "role": ""},
    )
    assert answer.status_code == 403
    assert own.row(INES).role_for(MARSEILLE) is StaffRole.ADMINISTRATOR


def test_nothing_typed_into_the_sign_in_page_becomes_code(shared: House) -> None:
    evil = '"><script>alert(1)</script>'
    visitor = shared.visitor()
    page = visitor.get("/connexion", params={"vers": f"/{evil}"})
    assert "<script" not in page.text
    assert "<script" not in sign_in(visitor, evil).text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src")


@pytest.mark.parametrize("password", ["court", "x" * 300, "aaaaaaaaaaaaaaaa", "lea@marseille"])
def test_a_password_that_is_guessed_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        check_password(password, LEA)


def test_passwords_are_kept_as_argon2id() -> None:
    hashed = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)).hash("x" * 12)
    assert hashed.startswith("$argon2id$")
    assert SITE.startswith("https")


def test_who_is_signed_in_reads_what_the_institution_does_until_the_session_ends() -> None:
    """The same reader as its API key's; a stream asks again, with the same cookie."""
    with house() as one:
        visitor = one.signed_in("lea@marseille.example")
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        scope = {"type": "http", "headers": [(b"cookie", cookie.encode())], "method": "GET"}
        readers, request = Readers(Visitors(one.staff.visits)), Request(scope)
        reader = readers.of(request)
        assert reader == Reader(MARSEILLE, buyer=True)
        still = readers.still(request, reader)
        assert still()
        one.clock.move(hours=13)
        assert not still()
        assert readers.of(request) == ANYBODY


@pytest.mark.parametrize("path", ["/tableau-de-bord", "/visite", "/fiche/abc"])
def test_a_date_that_is_none_is_answered_with_a_page(shared: House, path: str) -> None:
    answer = shared.visitor().get(path, params={"as_of": "hier"})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "n’est pas une date" in answer.text


def test_what_a_role_does_not_allow_is_said_in_whole_words() -> None:
    assert "ne permet pas d’ouvrir la vitrine" in str(NotAllowedError("ouvrir la vitrine", "Apt"))
    assert "ne permet pas de voir cette page" in str(NotAllowedError("voir cette page", "Apt"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/signaler?besoin=benne", "« Signaler un besoin » demande le compte d’une institution."),
        ("/alertes", "« Mes alertes » demande le compte d’une institution."),
        ("/connexion?vers=/visite", ""),
    ],
)
def test_who_is_asked_to_sign_in_is_told_for_what_and_what_needs_no_account(
    shared: House, path: str, said: str
) -> None:
    page = shared.visitor().get(path, follow_redirects=True)
    words = words_of(page)
    assert ("demande le compte" in words) == bool(said) and said in words
    assert "adressez-vous à qui tient ce service" in words  # who opens accounts
    for address in ("/", "/tableau-de-bord", "/visite"):
        assert f'<a href="{address}">' in page.text.partition("Sans compte")[2]
