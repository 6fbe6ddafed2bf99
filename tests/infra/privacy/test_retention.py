"""The data officer's page says what the declarations say, of every topic."""

from pathlib import Path

from traverse_infra.privacy.retention import PERSONAL, TABLES, page
from traverse_schemas.log.topics import TOPICS

PAGE = Path(__file__).parents[3] / "docs" / "retention.md"


def test_every_topic_says_whose_data_it_may_hold() -> None:
    """A new topic gets its line in PERSONAL."""
    assert [topic.name for topic in TOPICS if topic.name not in PERSONAL] == []


def test_the_page_is_up_to_date() -> None:
    """After a change of the topics: `traverse privacy page > docs/retention.md`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_topic_and_table_is_on_the_page() -> None:
    whole = page()
    assert all(f"`{topic.name}`" in whole for topic in TOPICS)
    assert all(table.where in whole for table in TABLES)
    assert "| `traverse.inbound` | 7 jours |" in whole
