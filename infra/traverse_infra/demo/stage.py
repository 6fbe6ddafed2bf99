"""The stage of a demonstration: engines and services up, the play, what staff would see, down."""

import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any, Self

import httpx
from elasticsearch import Elasticsearch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from traverse_infra.demo.accounts import reasons
from traverse_infra.demo.linked import linked_lines
from traverse_infra.demo.people import HOST, open_accounts, open_gateway
from traverse_infra.demo.play import Accounts, account, publish, settle
from traverse_infra.demo.report import (
    answered_lines,
    dropped_lines,
    grouping_lines,
    people_lines,
    refusals_table,
    sums_table,
)
from traverse_infra.demo.script import Script
from traverse_infra.engines.runner import Engines
from traverse_infra.errors import InfraError
from traverse_infra.indices import prepare_indices
from traverse_infra.log.topics import apply_topics, opportunities_begun
from traverse_infra.members import cast_signature, ensure_members, open_registry
from traverse_infra.services import Services
from traverse_infra.settings import Settings
from traverse_producers.gateway.settings import GatewaySettings
from traverse_schemas.clock import SystemClock
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_schemas.log.topics import OPPORTUNITIES
from traverse_schemas.read_settings import read_settings
from traverse_search_api.accounts.directory import accounts_table
from traverse_search_api.answers.table import results_table
from traverse_search_api.settings import SearchSettings

_SETTLE_TIMEOUT = 600
_ANSWER_TIMEOUT = 60


class Stage:
    """Starts what the demonstration needs, and afterwards stops what it started."""

    def __init__(self, settings: Settings, script: Script, console: Console) -> None:
        self._settings = settings
        self._script = script
        self._console = console
        self._engines = Engines(settings)
        self._started_engines = False
        self._search = read_settings(SearchSettings)

    def __enter__(self) -> Self:
        # A stop asked from outside ends the demonstration like Ctrl-C: nothing is left running.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self._console.rule(self._script.title)
        self._started_engines = self._engines.up(self._console.print)
        home = self._settings.home
        self._services = Services(
            home / "logs",
            {
                "TRAVERSE_HOME": str(home),
                "TRAVERSE_KAFKA": self._engines.kafka,
                "TRAVERSE_ELASTICSEARCH": self._engines.elasticsearch,
                "TRAVERSE_AS_OF": self._search.as_of or self._script.as_of,
                **(self._gateway() if self._script.people else {}),
            },
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._services.stop()
        if self._started_engines:
            self._engines.down()

    def perform(self) -> int:
        """The whole play. Gives the number of events that are neither searchable nor refused."""
        topics = apply_topics(self._engines.kafka)
        with open_registry(self._engines.kafka) as table:
            keys, cast = self._settings.keys, self._script.institutions
            signers = ensure_members(table, keys, cast, SystemClock().now())
            if self._script.people:
                now = SystemClock().now()
                open_gateway(
                    table, self._pages_key, {one.siren for one in self._script.people}, now
                )
        self._say(f"{len(signers)} institutions au registre ; leurs clés sont dans {keys}.")
        with Elasticsearch(
            **elasticsearch_client(self._engines.elasticsearch), request_timeout=60
        ) as client:
            begun = opportunities_begun(self._engines.kafka)
            prepare_indices(client, topics.ids[OPPORTUNITIES], begun=begun)
            self._services.start("work", "work")
            if self._script.people:
                self._services.start("gateway", "serve", "gateway")
            self._services.start("search", "serve", "search")
            started = time.monotonic()
            with self._counter() as progress:
                task = progress.add_task("Publication", total=None)
                sent = publish(
                    self._engines.kafka,
                    self._script.events(),
                    lambda: progress.advance(task),
                    cast_signature(signers),
                )
            self._say(f"{len(sent)} événements publiés en {time.monotonic() - started:.0f} s.")
            with self._console.status("Traitement : valider, enrichir, relier, indexer…"):
                settle(self._engines.kafka, self._services.check, _SETTLE_TIMEOUT)
            self._say(f"Tout est traité, {time.monotonic() - started:.0f} s après le début.")
            accounts = account(self._engines.kafka, client, sent)
        self._report(accounts)
        for line in linked_lines(self._engines.kafka):
            self._say(line)
        self._show_searches()
        self._show_matches()
        lost = sum(one.lost for one in accounts.sums.values())
        if lost:
            self._console.print(f"[red]{lost} événement(s) ne sont ni cherchables ni refusés.")
        else:
            self._say("Rien n'est perdu : tout est cherchable, réservé, retiré ou refusé.")
        return lost

    def stay(self) -> None:
        """Keep everything running until Ctrl-C."""
        self._say(
            f"\nDans un navigateur : {self._address} ; pour les programmes : "
            f"{self._address}/v1/opportunities ; dans un autre terminal : "
            '.venv/bin/traverse search "bornes de recharge".'
        )
        if self._script.people:
            for line in people_lines(self._script.people, self._accounts(), self._names):
                self._say(line)
        self._say("Ctrl-C pour tout arrêter.")
        try:
            while True:
                self._services.check()
                time.sleep(1)
        except KeyboardInterrupt:
            self._say("Arrêt.")

    @property
    def _address(self) -> str:
        return f"http://{self._search.search_host}:{self._search.search_port}"

    @property
    def _names(self) -> dict[str, str]:
        return {one["siren"]: one["name"] for one in self._script.institutions}

    @property
    def _pages_key(self) -> Path:
        return self._settings.home / "pages.key"

    def _gateway(self) -> dict[str, str]:
        """The variables by which gateway and pages know each other."""
        gateway = read_settings(GatewaySettings)
        told = "public_address" in self._search.model_fields_set
        return {
            "TRAVERSE_GATEWAY_SIREN": HOST,
            "TRAVERSE_GATEWAY": f"http://{gateway.gateway_host}:{gateway.gateway_port}",
            "TRAVERSE_API_KEY_FILE": str(self._pages_key),
            "TRAVERSE_PUBLIC_ADDRESS": self._search.public_address if told else self._address,
        }

    def _accounts(self) -> str:
        """The password of everybody who may sign in."""
        with accounts_table(self._engines.kafka) as table:
            table.wait(_ANSWER_TIMEOUT)
            return open_accounts(table, self._script.people, SystemClock().now())

    def _report(self, accounts: Accounts) -> None:
        self._console.print(sums_table(accounts.sums, self._names))
        if accounts.refused:
            self._console.print(refusals_table(reasons(accounts.refused), accounts.refused))
        for line in dropped_lines(Counter(row.sentence for row in self._script.dropped)):
            self._say(line)

    def _show_searches(self) -> None:
        address = self._address
        self._services.await_answer(f"{address}/readyz", _ANSWER_TIMEOUT)
        for parameters in self._script.searches:
            answer = httpx.get(f"{address}/v1/opportunities", params=parameters, timeout=30)
            if not answer.is_success:
                raise InfraError(f"La recherche d'exemple échoue : {answer.text[:200]}")
            said = " ".join(
                str(value) if name == "q" else f"--{name} {value}"
                for name, value in parameters.items()
                if name != "size"
            )
            self._console.rule(f"traverse search {said}", align="left")
            self._console.print(results_table(answer.json(), width=self._console.width))

    def _show_matches(self) -> None:
        """A joint purchase that nobody had thought of, and a need that finds its answer; nothing
        where there are none."""
        address = f"{self._address}/v1"
        groupings = httpx.get(f"{address}/groupings", params={"size": 100}, timeout=30)
        if not groupings.is_success:
            raise InfraError(f"Les groupements ne se lisent pas : {groupings.text[:200]}")
        if items := groupings.json()["items"]:
            self._console.rule("Achats à mutualiser : GET /v1/groupings", align="left")
            most = max(items, key=lambda item: (item["owners"], item["id"]))
            for line in grouping_lines(most):
                self._say(line)
            if len(items) > 1:
                self._say(f"… et {len(items) - 1} autres propositions.")
        needs = httpx.get(
            f"{address}/opportunities", params={"kind": "need", "size": 100}, timeout=30
        ).json()["items"]
        answered = [item for item in needs if len(list(answered_lines(item))) > 1]
        if answered:
            self._console.rule("Un besoin et ce qui peut y répondre", align="left")
            best = max(answered, key=lambda item: (_best_answer(item), item["id"]))
            for line in answered_lines(best):
                self._say(line)

    def _counter(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, markup=False, highlight=False)


def _best_answer(item: dict[str, Any]) -> float:
    return max(
        float(link["score"])
        for link in item["links"]
        if link["type"] == "answers" and link.get("role") == "need"
    )
