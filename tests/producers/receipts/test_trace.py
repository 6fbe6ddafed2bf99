"""The trace joins the messages about one event: the highest end holds, its first message says
when."""

from datetime import UTC, datetime
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from traverse_producers.receipts.trace import Said, as_json, as_lines, from_json, joined
from traverse_schemas.log.receipts import RANK, End

SOURCE = "urn:siren:211300405"
NINE = 1795510800000  # 2026-11-24, 10:00 in Paris
FOUND = Said(
    End.SEARCHABLE,
    NINE + 900,
    {
        "origin": "2@41", "received": NINE, "validated": NINE + 300, "linked": NINE + 700,
        "opportunity": "abc",
    },
)  # fmt: skip
REFUSED = Said(
    End.REJECTED,
    NINE - 5000,
    {"origin": "2@7", "reason": "invalid_data", "pointer": "/data/title",
     "sentence": "Le champ title est obligatoire : ajoutez-le.", "verified": True},
)  # fmt: skip


def shown(*messages: Said) -> dict[str, object]:
    trace = joined(SOURCE, "e-1", messages)
    assert trace is not None
    return as_json(trace)


def test_the_steps_have_their_times_in_paris() -> None:
    found = shown(FOUND)
    assert found["end"] == "searchable"
    assert found["opportunity"] == "abc"
    assert found["steps"] == [
        {"step": "received", "label": "Reçu", "at": "2026-11-24T10:00:00.000+01:00"},
        {"step": "validated", "label": "Validé et enrichi", "at": "2026-11-24T10:00:00.300+01:00"},
        {"step": "linked", "label": "Relié", "at": "2026-11-24T10:00:00.700+01:00"},
        {
            "step": "searchable",
            "label": "Trouvable dans la recherche",
            "at": "2026-11-24T10:00:00.900+01:00",
        },
    ]
    assert found["notes"] == []


def test_a_duplicate_is_a_note_and_what_was_read_again_is_none() -> None:
    again = Said(End.DUPLICATE, NINE + 2000, {"origin": "2@50"})
    itself = Said(End.DUPLICATE, NINE + 3000, {"origin": "2@41"})
    found = shown(FOUND, again, itself)
    assert found["end"] == "searchable"
    assert found["notes"] == [
        {
            "step": "duplicate",
            "label": "Doublon : déjà reçu, sans effet",
            "at": "2026-11-24T10:00:02.000+01:00",
        }
    ]


def test_a_receipt_that_is_written_again_keeps_the_first_time() -> None:
    assert shown(FOUND._replace(at=NINE + 10**9), FOUND) == shown(FOUND)


def test_a_refusal_that_was_mended_stays_as_a_note_and_says_nothing_else() -> None:
    found = shown(REFUSED, FOUND)
    assert (found["end"], found["sentence"]) == ("searchable", None)
    assert "Refusé : Le champ title est obligatoire : ajoutez-le." in str(found["notes"])


def test_what_a_stranger_sent_under_the_same_id_is_not_told() -> None:
    stranger = REFUSED._replace(fields={**REFUSED.fields, "verified": False})
    assert shown(stranger, FOUND)["notes"] == []
    assert shown(stranger)["verified"] is False


def test_the_last_refusal_counts_and_says_how_to_mend() -> None:
    other = Said(End.REJECTED, NINE, {"origin": "2@9", "sentence": "Autre.", "verified": True})
    trace = joined(SOURCE, "e-1", [REFUSED, other])
    assert trace is not None
    assert trace.sentence == "Autre."
    assert any("Autre." in line for line in as_lines(trace))


def test_a_receipt_without_its_beginning_takes_it_from_the_one_that_waited() -> None:
    waiting = Said(End.WAITING, NINE + 5, {"origin": "2@41", "received": NINE, "validated": NINE})
    late = Said(End.SEARCHABLE, NINE + 900, {"validated": NINE + 800, "opportunity": "abc"})
    assert shown(waiting)["end"] is None
    trace = joined(SOURCE, "e-1", [waiting, late])
    assert trace is not None
    steps = [step.name for step in trace.steps]
    assert steps == ["received", "validated", "searchable"]


def test_a_trial_says_so_and_what_would_have_come_of_it() -> None:
    """Until the same event is said in earnest."""
    enriched = {"themes": ["voirie"], "territory": {"code": "com:13055", "name": "Marseille"}}
    fields = {"origin": "2@41", "received": NINE, "would": "searchable", "enriched": enriched}
    trial = Said(End.SANDBOX, NINE + 5, fields)
    found = shown(trial)
    assert (found["end"], found["opportunity"]) == ("sandbox", None)
    assert found["sandbox"] == {
        "would": "searchable",
        "label": "Sans l'essai : trouvable dans la recherche",
        "enriched": enriched,
    }
    trace = joined(SOURCE, "e-1", [trial])
    assert trace is not None
    assert "Sans l'essai : trouvable dans la recherche" in as_lines(trace)
    earnest = shown(trial, FOUND)
    assert (earnest["end"], earnest["sandbox"]) == ("searchable", None)


def test_a_trial_that_is_judged_anew_keeps_its_first_answer() -> None:
    """By a processor that lost its local state: nothing else can happen twice."""
    first = {"origin": "2@41", "received": NINE, "would": "searchable"}
    again = {"origin": "2@57", "received": NINE + 9, "would": "superseded"}
    trace = joined(
        SOURCE, "e-1", [Said(End.SANDBOX, NINE + 5, first), Said(End.SANDBOX, NINE + 12, again)]
    )
    assert trace is not None
    assert (trace.end, trace.would, trace.notes) == (End.SANDBOX, End.SEARCHABLE, [])


def test_nothing_is_known_of_duplicates_alone() -> None:
    assert joined(SOURCE, "e-1", [Said(End.DUPLICATE, NINE, {"origin": "2@1"})]) is None
    assert joined(SOURCE, "e-1", []) is None


@given(st.lists(st.sampled_from(sorted(RANK)), min_size=1, max_size=4), st.data())
def test_the_order_of_the_messages_does_not_matter(ends: list[End], data: st.DataObject) -> None:
    messages = [
        Said(
            end,
            NINE + number,
            {"origin": f"2@{number}", "received": NINE}
            | ({"would": "searchable"} if end is End.SANDBOX else {}),
        )
        for number, end in enumerate(ends)
    ]
    first = joined(SOURCE, "e-1", messages)
    assert all(joined(SOURCE, "e-1", other) == first for other in permutations(messages))


def test_a_terminal_gets_nothing_that_it_would_obey() -> None:
    hostile = Said(End.REJECTED, NINE, {"sentence": "\x1b]0;pwned\x07", "origin": "1"})
    trace = joined("\x1b[2J", "e", [hostile])
    assert trace is not None
    text = "".join(as_lines(trace))
    assert "\x1b" not in text
    assert datetime.fromtimestamp(NINE / 1000, UTC).strftime("%d/%m/%Y") in text


def test_what_a_gateway_answers_is_the_trace_again() -> None:
    """A terminal shows it as it shows that of the log."""
    trial = Said(End.SANDBOX, NINE + 5, {"would": "searchable", "enriched": {"themes": ["x"]}})
    for messages in ([FOUND], [REFUSED], [trial], [Said(End.WAITING, NINE, {})], [REFUSED, FOUND]):
        trace = joined(SOURCE, "e-1", messages)
        assert trace is not None
        assert from_json(as_json(trace)) == trace
