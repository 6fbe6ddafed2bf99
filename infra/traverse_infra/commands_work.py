"""`traverse work`: the stream processors, one process a step."""

import ctypes
import math
import os
import signal
import subprocess
import sys
from types import FrameType
from typing import Annotated, Literal

import typer

from traverse_infra.errors import EngineAwayError, TopicError
from traverse_schemas.engine_access import elasticsearch_client, engine_access

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STEPS = ("validate", "index")
_BESIDE = "check"  # compares now and then; its end ends nobody else
_SHARE = 0.2  # of the time, that the check works


def work(
    step: Annotated[
        Literal["all", "validate", "index", "check"],
        typer.Option(help="L'étape à lancer ; toutes par défaut, chacune dans son processus."),
    ] = "all",
    child: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Fait tourner les traitements : valider et enrichir, puis relier et indexer.

    À côté, de temps à autre, une vérification de l'index, doucement (TRAVERSE_CHECK_MINUTES).
    """
    if step == "all":
        raise SystemExit(_run_all())
    if child:
        _end_with_parent()
    if step == _BESIDE:
        _check_now_and_then()
        return
    # Here, so that the parent of both steps stays small.
    from traverse_infra.reset import check_no_reset
    from traverse_infra.topics import topic_ids
    from traverse_schemas.topics import ACCEPTED, OPPORTUNITIES, RECORDS
    from traverse_stream_processors.app import index_app, run, validate_app
    from traverse_stream_processors.settings import ProcessorSettings

    settings = ProcessorSettings()
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
        _check_indices(settings.elasticsearch, ids[OPPORTUNITIES])
        app = index_app(settings)
    # Faust reads the command line itself; it has nothing to read here.
    sys.argv = ["traverse work", "worker"]
    run(app)


def _check_indices(elasticsearch: str, topic_id: str) -> None:
    """The indices must belong to this generation of the topic: against those of another one,
    every version would look old and every document be taken for done (decision 4).

    Elasticsearch away is no reason to leave: wait for it. Raises IndexMismatchError.
    """
    from elasticsearch import Elasticsearch

    from traverse_infra.engines.waiting import wait_until
    from traverse_infra.indices import prepare_indices

    with Elasticsearch(**elasticsearch_client(elasticsearch), max_retries=0) as client:
        told = False

        def prepared() -> bool:
            nonlocal told
            try:
                prepare_indices(client, topic_id)
            except EngineAwayError as error:
                if not told:
                    typer.echo(f"{error} L'étape attend qu'il réponde.", err=True)
                    told = True
                return False
            return True

        wait_until(prepared, timeout=math.inf)


def _checks() -> bool:
    """Whether the check runs beside the steps. Where there are accounts, theirs reads no document
    of the index: the operator runs `traverse work --step check` as another one."""
    from traverse_infra.commands_engines import load_settings

    return load_settings().check_minutes > 0 and not engine_access().elasticsearch_user


def _check_now_and_then() -> None:
    """The check in the background: at the lowest priority, in small portions."""
    import threading

    from traverse_infra.check.compare import compare
    from traverse_infra.check.watch import CheckMetrics, Throttle, watch
    from traverse_infra.commands_engines import load_settings

    settings = load_settings()
    os.nice(19)
    metrics = CheckMetrics()
    if settings.check_metrics:
        metrics.serve(settings.check_metrics)
    watch(
        lambda: compare(settings.kafka, settings.elasticsearch, rest=Throttle(_SHARE)),
        metrics,
        settings.check_minutes * 60,
        threading.Event(),
    )


def _run_all() -> int:
    """Both steps as children: when one leaves, the other is stopped, and its code is ours."""
    children = {name: _start(name) for name in (*STEPS, *([_BESIDE] if _checks() else ()))}

    def stop(number: int, _frame: FrameType | None) -> None:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait()
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    typer.echo("Les traitements tournent : valider et enrichir, relier et indexer (Ctrl-C : fin).")
    pid, status = os.waitpid(0, 0)
    while _BESIDE in children and pid == children[_BESIDE].pid:
        sys.stderr.write("La vérification de l'index s'est arrêtée ; les étapes continuent.\n")
        del children[_BESIDE]
        pid, status = os.waitpid(0, 0)
    for name, child in children.items():
        if child.pid != pid:
            child.terminate()
            child.wait()
        else:
            sys.stderr.write(f"L'étape {name} s'est arrêtée ; l'autre est arrêtée aussi.\n")
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code  # killed by a signal: as shells tell it


def _start(step: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "traverse_infra.cli", "work", "--step", step, "--child"]
    return subprocess.Popen(command)


def _end_with_parent() -> None:
    """Ask Linux to end this process with the one that started it, even when that one is killed:
    a step left behind would go on working unseen. Elsewhere there is no such call."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
