"""Link: from records to opportunities.

Here each record passes as its own opportunity; merging, answers and groupings come later behind
the same function, so that ids, versions and topics are already the final ones.
"""

from typing import Any

from traverse_schemas.document import (
    PUBLIC_INDEX,
    OpportunityMessage,
    SourceRef,
    Stub,
    index_of,
)
from traverse_schemas.record_state import Life, RecordState


def form(state: RecordState) -> OpportunityMessage | None:
    """The opportunity of one record; None while nothing was ever said that people could see.

    A withdrawn record becomes a stub in every index that held it. A record that changed audience
    leaves a stub in the index it left.
    """
    said, life = state["content"], state["life"]
    if said is None or (life is not None and life["state"] == "withdrawn"):
        if not state["indices"]:
            return None
        where = PUBLIC_INDEX if PUBLIC_INDEX in state["indices"] else state["indices"][0]
        return OpportunityMessage(
            id=state["id"],
            index=where,
            stubs=[index for index in state["indices"] if index != where],
            document=Stub(id=state["id"], stub=True),
        )
    content = said["content"]
    index = index_of(content["visibility"])
    updated = max(said["version"][1], life["version"][1] if life else "")
    source = SourceRef(source=state["source"], subject=state["subject"], updated_at=str(updated))
    if "url" in content:
        source["url"] = content["url"]
    document: dict[str, Any] = {
        **content,
        "id": state["id"],
        "stub": False,
        "state": "active",
        "published_at": state["first_time"],
        "updated_at": updated,
        "sources": [source],
        "links": [],
    }
    if life is not None and life["state"] == "closed":
        document.update(_closing(document, life))
    return OpportunityMessage(
        id=state["id"],
        index=index,
        stubs=[other for other in state["indices"] if other != index],
        document=document,  # type: ignore[typeddict-item]
    )


def _closing(document: dict[str, Any], life: Life) -> dict[str, Any]:
    """How it ended, laid over what was said: outcome, holders, the awarded sum, each lot."""
    closing: dict[str, Any] = {
        "state": "closed",
        "outcome": life["outcome"],
        "closed_on": life["closed_on"],
    }
    if "holders" in life:
        closing["holders"] = life["holders"]
    if "amount" in life:
        closing["amount"] = life["amount"]["value"]
        closing["amounts"] = [*document.get("amounts", []), life["amount"]]
    if "lots" in life:
        ended = {lot["number"]: lot for lot in life["lots"]}
        lots = [{**lot, **ended.pop(lot["number"], {})} for lot in document.get("lots", [])]
        closing["lots"] = [*lots, *ended.values()]
    return closing
