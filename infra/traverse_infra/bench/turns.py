"""The turns of the contenders: how large they are, and what they come to. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from traverse_infra.bench.figures import spread
from traverse_infra.bench.throughput import PipelineTurn, Turn

_NAMES = {
    "pipeline": "pipeline_events_per_s",
    "passthrough": "faust_passthrough_events_per_s",
    "bulk": "bulk_documents_per_s",
    "quixstreams": "quixstreams_documents_per_s",
}


def shares(total: int, turns: int) -> list[int]:
    """`total` in nearly equal shares."""
    return [total * (index + 1) // turns - total * index // turns for index in range(turns)]


def throughput_figures(
    pipelines: Sequence[PipelineTurn], others: Mapping[str, Sequence[Turn]]
) -> dict[str, Any]:
    """The figures of at least one turn; `others` have a turn beside each of the pipeline's."""
    whole: dict[str, Sequence[Turn]] = {"pipeline": pipelines, **others}
    turns = {name: [turn.per_second for turn in each] for name, each in whole.items()}
    # One event may make several documents: whoever joins others rewrites theirs.
    documents = [turn.per_second * len(turn.documents) / turn.items for turn in pipelines]
    return {
        **{_NAMES[name]: spread(rates)["median"] for name, rates in turns.items()},
        "turns": turns,
        "spread": {name: spread(rates) for name, rates in turns.items()},
        "ratios": {
            **{f"pipeline_to_{name}": _ratio(turns["pipeline"], turns[name]) for name in others},
            "pipeline_documents_to_passthrough": _ratio(documents, turns["passthrough"]),
        },
        "startup_seconds": {
            name: max(turn.startup for turn in each) for name, each in whole.items()
        },
        "processor_us_per_item": {name: _processor(each) for name, each in whole.items()},
        "counts": {
            "events": sum(turn.items for turn in pipelines),
            "accepted": sum(turn.accepted for turn in pipelines),
            "rejected": sum(turn.rejected for turn in pipelines),
            "documents": sum(len(turn.documents) for turn in pipelines),
        },
    }


def _ratio(mine: Sequence[float], its: Sequence[float]) -> float:
    """The median of the ratios, turn by turn."""
    return spread([one / other for one, other in zip(mine, its, strict=True)])["median"]


def _processor(turns: Sequence[Turn]) -> dict[str, float]:
    """Microseconds of processor time an item, by process."""
    items = sum(turn.items for turn in turns)
    names = turns[0].processor
    return {name: sum(turn.processor[name] for turn in turns) / items * 1e6 for name in names}
