"""Alerts over a real Kafka and a real Elasticsearch: which there are, and which there are not."""

import asyncio
import html
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from kafka import KafkaAdminClient, TopicPartition

from tests.documents import deadline, document
from tests.engines import RunningEngines
from tests.search_api.accounts.people import CHAMBER, MARSEILLE, SITE, token_of
from tests.search_api.alerts.changing import (
    AS_OF,
    READERS,
    Changing,
    Watch,
    changing,
    left,
    watching,
)
from tests.search_api.alerts.household import household, subscription
from tests.search_api.alerts.receiver import receiving
from tests.search_api.stream.subscribe_page import program
from traverse_infra.engines.waiting import wait_until
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.grouping import GroupingMessage, grouping_id
from traverse_schemas.reference.territories import Territories
from traverse_search_api.alerts.departures import forget_departed
from traverse_search_api.alerts.ledger import Batch
from traverse_search_api.alerts.notifier import composer, searcher_of
from traverse_search_api.alerts.subscription import (
    AlertKind,
    Channel,
    Webhook,
    encode_subscription,
)
from traverse_search_api.alerts.verdict import members_of
from traverse_search_api.alerts.wish import signing_key
from traverse_search_api.groupings.groupings import PATIENCE
from traverse_search_api.pages.note.week import Week
from traverse_search_api.words.synonym_book import SynonymBook

pytestmark = pytest.mark.engines

SECOND = "2026-03-20T08:00:00.000000Z"
OTHER_KEY = "whsec_c2VjcmV0"


@pytest.fixture(scope="module")
def changes(engines: RunningEngines) -> Iterator[Changing]:
    with changing(engines) as made:
        yield made


def run(watch: Watch, journey: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await journey()
        finally:
            await watch.watcher.log.close()
            await watch.watcher.indices.public._client.close()

    asyncio.run(whole())


def test_a_record_that_was_erased_from_among_others_is_forgotten(
    changes: Changing, tmp_path: Path
) -> None:
    """It leaves no stub that says so: the opportunity goes on without it. One that went into an
    opportunity of its own is known still."""
    one, other = document("effacee-1", "Voirie du nord"), document("effacee-2", "Voirie du sud")
    both = {**one, "sources": one["sources"] + other["sources"]}
    key = next(iter(members_of(other)))
    mine = subscription(search={"q": ["voirie"]})
    with watching(changes, tmp_path / "notify.sqlite", mine) as watch:

        async def after(*documents: dict[str, Any]) -> int:
            changes.write(*documents)
            await watch.all()
            return await forget_departed(watch.ledger, watch.watcher.indices, 1e12)

        async def journey() -> None:
            await watch.all()
            merged = {**left(other), "merged_into": one["id"]}
            assert await after(both, merged) == 0
            assert await after(one, other) == 0
            assert key in watch.ledger.known([key])
            assert await after(both, merged) == 0
            assert await after(one, left(other)) == 1
            assert watch.ledger.known([key]) == {}
            assert watch.ledger.told([key]) == {}
            assert watch.ledger.notes("left ") == []

        run(watch, journey)


def updated(one: dict[str, Any], at: str = SECOND, **fields: Any) -> dict[str, Any]:
    """A later version of every record of a document."""
    sources = [{**each, "updated_at": at} for each in one["sources"]]
    return {**one, "sources": sources, **fields}


class Advanced:
    """Groupings in which somebody said something in the week; and many that end sooner, of which
    nobody said anything."""

    def rows(self, patience: float = PATIENCE) -> Mapping[str, GroupingMessage]:
        quiet = [("buyers", f"Rien {number}", "com:13005", "2026-03-20") for number in range(120)]
        made = {}
        for layer, subject, place, until in (
            *quiet,
            ("buyers", "Bennes", "com:13005", "2026-06-30"),
            ("buyers", "Ailleurs", "com:13055", "2026-06-30"),
            (f"restricted:{MARSEILLE}", "Marseille seule", "com:13005", "2026-06-30"),
            ("restricted:200054807", "La métropole seule", "com:13005", "2026-06-30"),
        ):
            identity = grouping_id(layer, f"{subject} and others")
            member = {"record": subject, "owner": "Aubagne", "title": subject}
            stance = {"stance": "interested", "stance_on": "2026-03-04"}
            said = member if subject.startswith("Rien") else {**member, **stance}
            found = {
                "id": identity, "layer": layer, "state": "proposed", "subject": subject,
                "score": 0.9, "members": [said, member], "cpv": [], "themes": [],
                "places": [place], "window": {"from": "2026-03-01", "to": until},
            }  # fmt: skip
            message = {"id": identity, "layer": layer, "grouping": found}
            made[identity] = cast(GroupingMessage, message)
        return made

    def close(self) -> None:
        pass


def test_a_note_is_no_alert_and_says_what_its_owner_may_read(
    changes: Changing, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"note": True, "search": {"territory": ["com:13005"]}}
    ours, theirs = subscription(**asked), subscription(**asked, siren=CHAMBER)
    need = document(
        "note-1", "Location de bennes", kind="need", subtype="purchase", visibility="buyers",
        place=["com:13005"], published_at="2026-03-03T08:00:00.000000Z",
    )  # fmt: skip
    with watching(changes, tmp_path / "notify.sqlite", ours, theirs) as watch:

        async def journey() -> None:
            assert await watch.all() == []
            changes.write(need)
            assert await watch.all() == []
            searcher = searcher_of(
                watch.watcher.indices, Territories.load(), clock_from(AS_OF), SynonymBook(None)
            )
            compose = composer(searcher, lambda row: READERS[row.siren], Advanced())
            groupings = "Groupements qui ont avancé"
            for row, waiting, advanced in (
                (ours, "1", {"Marseille seule", "Bennes"}),
                (theirs, "0", set()),
            ):
                letter = await compose(row, Week.of(date(2026, 3, 2)))
                assert letter is not None and letter.place == "Aubagne (13)"
                assert letter.view.figures[0][:2] == ("Besoins en attente", waiting)
                figures = {figure.label: figure.value for figure in letter.view.figures}
                assert figures[groupings] == str(len(advanced))
                assert {line.title for line in letter.view.grouped} == advanced
            # What is judged from a day that is past is told of that day's last week.
            letter = await compose(ours, Week.of(date(2026, 11, 16)))
            assert letter is not None and letter.week.code == "2026-W10"

        run(watch, journey)


def test_what_is_proposed_to_an_institution_is_told_once(changes: Changing, tmp_path: Path) -> None:
    """To who follows its needs and is not paused; of what they may read; and not what was there
    before anybody followed it."""

    def link(other: str, audience: str = "buyers", **fields: Any) -> dict[str, Any]:
        return {"type": "joint", "id": other, "score": 0.9, "reason": "", "state": "proposed",
                "audience": audience, **fields}  # fmt: skip

    need = document("propose-1", "Défibrillateurs du stade", visibility="buyers", kind="need",
                    subtype="purchase", links=[link("before")])  # fmt: skip
    search = {"institution": [MARSEILLE]}
    mine, paused = subscription(search=search), subscription(search=search, muted=True)
    other = subscription(search=search, siren=CHAMBER)
    few = subscription(search=search, kinds=(AlertKind.NEW,))
    changes.write(need)
    with watching(changes, tmp_path / "notify.sqlite", mine, paused, other, few) as watch:

        async def said(*links: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
            changes.write({**need, "links": list(links)})
            found = await watch.all()
            assert {one.subscription for one in found} <= {mine.id}
            return [(str(one.kind), one.changed) for one in found]

        async def journey() -> None:
            assert await watch.all() == []
            assert await said(link("before")) == []
            assert await said(link("before"), link("a")) == [("proposed", ("joint",))]
            assert await said(link("a")) == []
            hidden = link("b", f"restricted:{CHAMBER}")
            assert await said(link("before"), link("a"), hidden) == []
            answer = link("c", "public", type="answers", role="need")
            assert await said(link("a", state="confirmed"), answer, link("d")) == [
                ("proposed", ("answers", "joint"))
            ]
            # Who goes on after a pause hears of what comes then.
            watch.rows[paused.id] = paused.model_copy(update={"muted": False})
            del watch.rows[mine.id]
            changes.write({**need, "links": [answer, link("d"), link("e")]})
            (told,) = await watch.all()
            assert (told.subscription, told.kind) == (paused.id, AlertKind.PROPOSED)

        run(watch, journey)


def test_one_alert_for_each_thing_that_happens_and_no_more(
    changes: Changing, tmp_path: Path
) -> None:
    old = document("alerte-ancienne", "Denrées pour la cantine", cpv=["15000000"])
    changes.write(old)
    mine = subscription(search={"q": ["cantine"]})
    by_place = subscription(search={"territory": ["com:13055"], "kind": ["call"]})
    elsewhere = subscription(search={"q": ["cantine"], "territory": ["dep:75"]})
    muted = subscription(search={"q": ["cantine"]}, muted=True)
    few = subscription(search={"q": ["cantine"]}, kinds=(AlertKind.CLOSED,))
    rows = (mine, by_place, elsewhere, muted, few)
    with watching(changes, tmp_path / "notify.sqlite", *rows) as watch:

        async def said(*documents: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
            changes.write(*documents)
            names = {mine.id: "mine", by_place.id: "place", few.id: "few"}
            return sorted(
                (names[one.subscription], str(one.kind), one.changed) for one in await watch.all()
            )

        async def journey() -> None:
            # What was there before counts as known; written again without news, it says nothing.
            assert await watch.all() == []
            assert await said(old) == []
            new = document("alerte-1", "Repas de cantine scolaire", amount=1000.0)
            assert await said(new) == [("mine", "new", ()), ("place", "new", ())]
            assert await said(new) == []
            # Links and scores are no news; a new version with nothing else in it is none either.
            assert await said({**new, "links": [{"type": "joint", "id": "x", "score": 1}]}) == []
            more = updated(new, amount=2000.0)
            assert await said(more) == [
                ("mine", "changed", ("amount",)), ("place", "changed", ("amount",)),
            ]  # fmt: skip
            # What was known before anybody followed it is told of when it changes.
            assert await said(updated(old, title="Denrées de la cantine")) == [
                ("mine", "changed", ("title",)), ("place", "changed", ("title",)),
            ]  # fmt: skip
            # A merge: both records are known to both; nobody hears of it, nor of the split after.
            both = {**more, "title": "Cantine", "sources": more["sources"] + old["sources"]}
            both["sources"][1] = {**both["sources"][1], "updated_at": SECOND}
            assert await said(both, {**left(old), "merged_into": more["id"]}) == []
            apart = updated(old, title="Denrées de la cantine")
            assert await said(more, apart) == []
            third = "2026-03-21T08:00:00.000000Z"
            # The first record of a group leaves; what is left goes on under an id of its own.
            others = document("alerte-2", "Cantine du collège")
            await said(others)
            pair = {**apart, "sources": apart["sources"] + others["sources"]}
            assert await said(pair, {**left(others), "merged_into": old["id"]}) == []
            assert await said(others, left(old)) == []
            await said(apart)
            ended = updated(more, third, outcome="awarded", state="closed")
            assert await said(ended) == [
                ("few", "closed", ()), ("mine", "closed", ()), ("place", "closed", ()),
            ]  # fmt: skip
            assert await said(left(new)) == [
                ("mine", "withdrawn", ()), ("place", "withdrawn", ()),
            ]  # fmt: skip
            assert await said(left(new)) == []
            # Set aside: nothing more of this one.
            watch.rows[mine.id] = mine.model_copy(update={"dismissed": (old["id"],)})
            again = updated(old, third, title="Denrées")
            assert await said(again) == [("place", "changed", ("title",))]
            assert watch.watcher.searches.why(mine.id) == ("« cantine »",)

        run(watch, journey)


def test_who_may_not_read_hears_nothing(changes: Changing, tmp_path: Path) -> None:
    city = subscription(search={"q": ["piscine"]}, siren=MARSEILLE)
    chamber = subscription(search={"q": ["piscine"]}, siren=CHAMBER)
    gone = subscription(search={"q": ["piscine"]}, siren="200054807")
    with watching(changes, tmp_path / "notify.sqlite", city, chamber, gone) as watch:

        async def told(*documents: dict[str, Any]) -> list[tuple[str, str]]:
            changes.write(*documents)
            names = {city.id: "city", chamber.id: "chamber"}
            return sorted((names[one.subscription], str(one.kind)) for one in await watch.all())

        async def journey() -> None:
            await watch.all()
            for_buyers = document("alerte-b", "Piscine", visibility="buyers")
            assert await told(for_buyers) == [("city", "new")]
            named = document("alerte-r", "Piscine", visibility="restricted", audience=[CHAMBER])
            assert await told(named) == [("chamber", "new")]
            seen = document("alerte-p", "Piscine")
            assert await told(seen) == [("chamber", "new"), ("city", "new")]
            # Its audience narrows: who reads it no more learns that, and nothing else of it.
            hidden = updated(seen, visibility="buyers", title="Piscine secrète")
            assert await told(hidden) == [("chamber", "withdrawn"), ("city", "changed")]

        run(watch, journey)


def test_what_closes_within_a_week_is_told_of_once(changes: Changing, tmp_path: Path) -> None:
    mine = subscription(search={"q": ["gymnase"]})
    path = tmp_path / "notify.sqlite"
    with watching(changes, path, mine, as_of="2026-03-12T10:00:00Z") as watch:
        one = document("alerte-c", "Gymnase", deadline=deadline("2026-03-20T10:00:00.000000Z"))
        early = document("alerte-e", "Gymnase", deadline=deadline("2026-03-13T10:00:00.000000Z"))
        changes.write(one, early)
        run(watch, watch.all)  # type: ignore[arg-type]
    for moment, expected in (
        ("2026-03-13T09:00:00Z", []),
        ("2026-03-13T11:00:00Z", [("closing_soon", one["id"])]),
        ("2026-03-13T12:00:00Z", []),
    ):
        with watching(changes, path, mine, as_of=moment) as watch:
            found: list[Any] = []

            async def look(watch: Watch = watch, found: list[Any] = found) -> None:
                found += await watch.all()

            run(watch, look)
            assert [(str(each.kind), each.opportunity) for each in found] == expected


def test_an_absence_longer_than_the_log_loses_nothing(changes: Changing, tmp_path: Path) -> None:
    mine = subscription(search={"q": ["fontaine"]})
    path = tmp_path / "notify.sqlite"
    with watching(changes, path, mine) as watch:
        run(watch, watch.all)  # type: ignore[arg-type]
        watch.ledger.write(Batch({"position": '["another", [0, 0]]'}, {}, (), ()))
    changes.write(document("alerte-f", "Fontaine du village"))
    with watching(changes, path, mine) as watch:
        found: list[Any] = []

        async def look() -> None:
            found.extend(await watch.all())

        run(watch, look)
    assert [str(each.kind) for each in found] == ["new"]


def test_changes_that_the_log_forgets_while_they_wait_are_read_from_the_whole_index(
    changes: Changing, tmp_path: Path
) -> None:
    """As after an absence: without it no alert would leave until the process is started again."""
    mine = subscription(search={"q": ["lavoir"]})
    found: list[Any] = []
    with watching(changes, tmp_path / "notify.sqlite", mine) as watch:

        async def look() -> None:
            await watch.all()
            changes.write(document("alerte-l", "Lavoir du village"))
            admin = KafkaAdminClient(bootstrap_servers=changes.kafka)
            admin.delete_records({TopicPartition(changes.topic, 0): -1})
            admin.close()
            async with asyncio.timeout(60):
                found.extend(await watch.all())

        run(watch, look)
    assert [str(each.kind) for each in found] == ["new"]


def test_killed_at_any_moment_it_loses_no_alert_and_repeats_none_under_another_id(
    changes: Changing, tmp_path: Path
) -> None:
    with receiving() as receiver:
        hook = Webhook(url=f"{receiver.address}/ok")
        row = subscription(search={"q": ["passerelle"]}, channel=Channel.WEBHOOK, webhook=hook)
        is_signed = program(1)["is_signed"]  # of docs/subscribe.md
        signed: list[bool] = []

        def judge(headers: dict[str, str], body: bytes) -> None:
            ours, other = (is_signed(headers, body, key) for key in (signing_key(row), OTHER_KEY))
            signed.append(ours and not other)

        receiver.heard = judge
        ledger = tmp_path / "state" / "notify.sqlite"
        with watching(changes, ledger, row) as watch:
            run(watch, watch.all)  # type: ignore[arg-type]
        orders = {
            "rows": [encode_subscription(row).decode()], "home": str(tmp_path),
            "kafka": changes.kafka, "elasticsearch": changes.address,
            "aliases": changes.aliases, "changes": changes.topic,
        }  # fmt: skip
        command = [
            sys.executable, "-m", "tests.search_api.alerts.killed_notifier", json.dumps(orders),
        ]  # fmt: skip
        written: set[str] = set()

        def told() -> set[str]:
            return {json.loads(body)["subject"] for _, _, body in receiver.got}

        for life in range(4):
            process = subprocess.Popen(command)
            try:
                # The last life is long enough for everything; the others end in the middle.
                for number in range(5):
                    one = document(f"passerelle-{life}-{number}", f"Passerelle {number}")
                    changes.write(one)
                    written.add(one["id"])
                _await(told, len(written) - (2 if life < 3 else 0))
            finally:
                process.kill()
                process.wait()
        assert told() == written
        ids: dict[str, set[str]] = {}
        for _, headers, body in receiver.got:
            ids.setdefault(json.loads(body)["subject"], set()).add(headers["webhook-id"])
        assert all(len(each) == 1 for each in ids.values())
        assert len(signed) >= len(written) and all(signed)


def test_a_search_is_followed_in_one_click_and_read_at_a_private_address(
    changes: Changing,
) -> None:
    known = document("clic-1", "Kiosque à musique")
    for_buyers = document("clic-2", "Kiosque des acheteurs", visibility="buyers")
    old = document("clic-3", "Vieux kiosque", published_at="2025-01-01T08:00:00.000000Z")
    changes.write(known, for_buyers, old)
    with household(
        elasticsearch=changes.address, aliases=changes.aliases, as_of=AS_OF, search_timeout=60,
        search_patience=50,
    ) as people:  # fmt: skip
        lea = people.house.signed_in("lea@marseille.example")
        anybody = people.house.visitor()
        lea.portal = anybody.portal = people.house.client.portal  # one loop for Elasticsearch
        assert "Se connecter pour être alerté" in anybody.get("/?q=kiosque").text
        page = lea.get("/?q=kiosque&kind=call")
        (query,) = re.findall(r'name="recherche" value="([^"]+)"', page.text)
        sent = {"jeton": token_of(page), "recherche": html.unescape(query)}
        for _ in range(2):  # who clicks twice means one alert
            answer = lea.post("/alertes", data=sent)
            assert answer.status_code == 303
        (row,) = people.table.rows().values()
        assert row.search == {"q": ["kiosque"], "kind": ["call"]}
        page = lea.get(answer.headers["location"])
        assert "Cette alerte aurait donné 2 résultats ces 30 derniers jours." in page.text
        shown = lea.get(f"/v1/subscriptions/{row.id}").json()
        feeds = {
            form: anybody.get(address.removeprefix(SITE))
            for form, address in shown["feeds"].items()
        }
        assert all(one.status_code == 200 for one in feeds.values()), feeds
        assert (
            "Kiosque des acheteurs" in feeds["rss"].text and "BEGIN:VCALENDAR" in feeds["ics"].text
        )
        # By the API: what it would give, and what cannot be followed.
        wish = {"search": {"q": "kiosque"}, "channel": "feed"}
        tried = lea.post("/v1/subscriptions?dry_run=true", json=wish)
        assert tried.json()["total"]["value"] == 2 and len(people.table.rows()) == 1
        made = lea.post("/v1/subscriptions", json=wish)
        assert made.status_code == 201 and made.json()["name"] == "kiosque"
        nowhere = lea.post("/v1/subscriptions", json={"search": {"territory": "com:99999"}})
        assert nowhere.status_code == 400
        private = {"channel": "webhook", "url": "https://127.0.0.1/"}
        assert lea.post("/v1/subscriptions", json=private).status_code == 422
        assert len(people.table.rows()) == 2


def _await(told: Callable[[], set[str]], count: int) -> None:
    assert wait_until(lambda: len(told()) >= count, timeout=120), told()
