"""What the turns of the contenders come to."""

from traverse_infra.bench.throughput import PipelineTurn, Turn
from traverse_infra.bench.turns import shares, throughput_figures

PIPELINES = [
    PipelineTurn(
        per_second=200.0, items=100, startup=4.0, processor={"kafka": 0.1, "index": 0.2},
        accepted=99, rejected=1, documents=[(b"a", b"{}")] * 110,
    ),
    PipelineTurn(
        per_second=400.0, items=100, startup=3.0, processor={"kafka": 0.3, "index": 0.2},
        accepted=100, rejected=0, documents=[(b"b", b"{}")] * 100,
    ),
]  # fmt: skip
OTHERS = {
    "passthrough": [Turn(1000.0, 110, 2.0), Turn(1000.0, 100, 1.0)],
    "bulk": [Turn(4000.0, 110), Turn(2000.0, 100)],
}


def test_the_turns_share_all_events_alike() -> None:
    """None is left out, and no turn has two more than another."""
    assert shares(12, 3) == [4, 4, 4]
    assert shares(7, 1) == [7]
    assert sum(shares(100, 3)) == 100
    assert max(shares(100, 3)) - min(shares(100, 3)) == 1


def test_each_turn_counts() -> None:
    """Every contender has a rate for each turn, and says the middle of them."""
    figures = throughput_figures(PIPELINES, OTHERS)
    assert figures["turns"] == {
        "pipeline": [200, 400], "passthrough": [1000, 1000], "bulk": [4000, 2000]
    }  # fmt: skip
    assert figures["pipeline_events_per_s"] == figures["spread"]["pipeline"]["median"] == 300
    assert figures["faust_passthrough_events_per_s"] == 1000
    assert figures["bulk_documents_per_s"] == 3000


def test_ratios_are_of_turns_that_ran_together() -> None:
    """The middle of each turn's ratio, not the ratio of the middles (which would be a tenth); by
    document where one event makes several."""
    ratios = throughput_figures(PIPELINES, OTHERS)["ratios"]
    assert ratios["pipeline_to_passthrough"] == (0.2 + 0.4) / 2
    assert ratios["pipeline_to_bulk"] == (0.05 + 0.2) / 2
    assert ratios["pipeline_documents_to_passthrough"] == (0.22 + 0.4) / 2


def test_what_is_counted_is_of_all_turns() -> None:
    """Events and processor time are added up, and the longest start is told."""
    figures = throughput_figures(PIPELINES, OTHERS)
    assert figures["counts"] == {
        "events": 200, "accepted": 199, "rejected": 1, "documents": 210
    }  # fmt: skip
    assert figures["startup_seconds"] == {"pipeline": 4, "passthrough": 2, "bulk": 0}
    assert figures["processor_us_per_item"]["pipeline"] == {"kafka": 2000, "index": 2000}
