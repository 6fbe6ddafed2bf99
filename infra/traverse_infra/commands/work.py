"""`traverse work`: the stream processors, one process a step."""

import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import typer

from traverse_infra.errors import EngineAwayError, TopicError
from traverse_schemas.log.engine_access import elasticsearch_client, engine_access
from traverse_schemas.read_settings import read_settings

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STEPS = ("validate", "index")
_CHECK = "check"  # compares now and then; its end ends nobody else
_NOTIFY = "notify"  # begun again when it ends: what it is at is on its ledger
_REST = 5.0  # seconds before that
_GRACE = 30.0  # seconds in which what is asked to end may end by itself
_SHARE = 0.2  # of the time, that the check works


def work(
    step: Annotated[
        Literal["all", "validate", "index", "check", "notify"],
        typer.Option(help="L'étape à lancer ; toutes par défaut, chacune dans son processus."),
    ] = "all",
    parent: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Fait tourner les traitements : valider et enrichir, relier et indexer, alerter.

    À côté, de temps à autre, une vérification de l'index, doucement (TRAVERSE_CHECK_MINUTES).
    """
    if step == "all":
        raise SystemExit(_run_all())
    if parent:
        _end_with(parent)
    if step == _CHECK:
        _check_now_and_then()
        return
    if step == _NOTIFY:
        _notify()
        return
    # Here, so that the parent of the steps stays small.
    from traverse_infra.log.reset import check_no_reset
    from traverse_infra.log.topics import opportunities_begun, topic_ids
    from traverse_schemas.log.topics import ACCEPTED, OPPORTUNITIES, RECORDS
    from traverse_stream_processors.app import index_app, run, validate_app
    from traverse_stream_processors.settings import ProcessorSettings

    settings = read_settings(ProcessorSettings)
    check_no_reset(settings.kafka)
    ids = topic_ids(settings.kafka)
    missing = {RECORDS, ACCEPTED, OPPORTUNITIES} - ids.keys()
    if missing:
        raise TopicError(
            f"Les topics de Traverse manquent sur {settings.kafka} : lancez « traverse up »."
        )
    if step == "validate":
        app = validate_app(settings, generation=f"{ids[RECORDS]} {ids[ACCEPTED]}")
    else:
        begun = opportunities_begun(settings.kafka)
        _check_indices(settings.elasticsearch, ids[OPPORTUNITIES], begun=begun)
        app = index_app(settings)
    # Faust reads the command line itself; it has nothing to read here.
    sys.argv = ["traverse work", "worker"]
    run(app)


def _notify() -> None:
    """Alert until this process is asked to end. It needs no topic but those of the table, and
    waits for engines that are away."""
    import asyncio
    from contextlib import suppress

    from traverse_search_api.alerts.notifier import notify
    from traverse_search_api.settings import SearchSettings

    async def until_ended() -> None:
        task = asyncio.ensure_future(notify(read_settings(SearchSettings)))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(until_ended())


def _check_indices(elasticsearch: str, topic_id: str, *, begun: bool) -> None:
    """The indices must belong to this generation of the topic: against those of another one,
    every version would look old and every document be taken for done (decision 4). Nor may they be
    made anew where the topic has been written (`begun`): this step goes on from where it was, and
    the view would lack all that came before.

    Elasticsearch away is no reason to leave: wait for it. Raises IndexMismatchError,
    IndexLostError.
    """
    from elasticsearch import Elasticsearch

    from traverse_infra.engines.waiting import wait_until
    from traverse_infra.indices import prepare_indices

    with Elasticsearch(**elasticsearch_client(elasticsearch), max_retries=0) as client:
        told = False

        def prepared() -> bool:
            nonlocal told
            try:
                prepare_indices(client, topic_id, begun=begun)
            except EngineAwayError as error:
                if not told:
                    typer.echo(f"{error} L'étape attend qu'il réponde.", err=True)
                    told = True
                return False
            return True

        wait_until(prepared, timeout=math.inf)


def _beside() -> dict[str, dict[str, str]]:
    """What runs beside the steps, each with the variables that make it the account that it needs.

    Where there are accounts, that of the steps reads no document of an index: the others' passwords
    are looked for beside its own. What has none is left to the operator, who is told.
    """
    from traverse_infra.access_rules import CHECKER, NOTIFIER
    from traverse_infra.commands.engines import load_settings

    wanted = {_NOTIFY: NOTIFIER}
    if load_settings().check_minutes > 0:
        wanted[_CHECK] = CHECKER
    access = engine_access()
    if not access.elasticsearch_user:
        return {step: {} for step in wanted}
    found = {}
    for step, account in wanted.items():
        variables = _account_beside(access.kafka_password_file, account)
        if variables is None:
            sys.stderr.write(
                f"L'étape {step} ne tourne pas ici : lancez « traverse work --step {step} » sous "
                f"le compte {account}.\n"
            )
        else:
            found[step] = variables
    return found


def _account_beside(password: Path | None, account: str) -> dict[str, str] | None:
    """The variables of an account whose secrets lie beside a file of `traverse up --secure`."""
    from traverse_infra.engines.secure import Secrets

    if password is None:
        return None
    secrets = Secrets(password.parent)
    readable = os.access(secrets.password_file(account), os.R_OK)
    return secrets.environment(account) if readable else None


def _name_of(children: Mapping[str, subprocess.Popen[bytes]], pid: int) -> str:
    return next(name for name, child in children.items() if child.pid == pid)


def _check_now_and_then() -> None:
    """The check in the background: at the lowest priority, in small portions."""
    import threading

    from traverse_infra.check.compare import compare
    from traverse_infra.check.operation import operation_metrics
    from traverse_infra.check.watch import CheckMetrics, Throttle, watch
    from traverse_infra.commands.engines import load_settings

    settings = load_settings()
    os.nice(19)
    metrics = CheckMetrics()
    metrics.registry.register(operation_metrics(settings.kafka, settings.elasticsearch))
    if settings.check_metrics:
        metrics.serve(settings.check_metrics)
    watch(
        lambda: compare(settings.kafka, settings.elasticsearch, rest=Throttle(_SHARE)),
        metrics,
        settings.check_minutes * 60,
        threading.Event(),
    )


def _run_all() -> int:
    """The steps as children: when one leaves, the other is stopped, and its code is ours."""
    beside_them = _beside()
    children = {name: _start(name) for name in STEPS}
    children |= {name: _start(name, variables) for name, variables in beside_them.items()}

    def stop(number: int, _frame: FrameType | None) -> None:
        _hear_no_more()
        _end(children.values())
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    typer.echo(
        "Les traitements tournent : valider et enrichir, relier et indexer, alerter (Ctrl-C : fin)."
    )
    pid, status = os.waitpid(0, 0)
    while (beside := _name_of(children, pid)) not in STEPS:
        if beside == _NOTIFY:
            sys.stderr.write("Les alertes se sont arrêtées ; elles reprennent dans un instant.\n")
            time.sleep(_REST)
            children[_NOTIFY] = _start(_NOTIFY, beside_them[_NOTIFY])
        else:
            sys.stderr.write("La vérification de l'index s'est arrêtée ; les étapes continuent.\n")
            del children[_CHECK]
        pid, status = os.waitpid(0, 0)
    name = _name_of(children, pid)
    sys.stderr.write(f"L'étape {name} s'est arrêtée ; l'autre est arrêtée aussi.\n")
    del children[name]
    _hear_no_more()
    _end(children.values())
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code  # killed by a signal: as shells tell it


def _hear_no_more() -> None:
    """All are ending: asked once more meanwhile, this process would wait for itself."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _end(children: Collection[subprocess.Popen[bytes]]) -> None:
    """Ask them to end, and end those that do not: a step says good-bye to Kafka, and would wait for
    one that is away; one that is frozen hears nothing. They lose nothing by it."""
    for child in children:
        child.terminate()
    until = time.monotonic() + _GRACE
    for child in children:
        try:
            child.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _start(step: str, variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A step as a child; `variables` make it another account."""
    command = [sys.executable, "-m", "traverse_infra.cli", "work", "--step", step]
    # A step is one thread, and what it multiplies is small: others would only wait for their turn.
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ, **(variables or {})}
    return subprocess.Popen([*command, "--parent", str(os.getpid())], env=environment)


def _end_with(parent: int) -> None:
    """Ask Linux to end this process with the one that started it, even when that one is killed:
    a step left behind would go on working unseen. Elsewhere there is no such call."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have ended before this was asked.
    if os.getppid() != parent:
        raise SystemExit(1)
