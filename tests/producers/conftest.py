"""What is not about signatures publishes without: those tests are in test_signing."""

import pytest


@pytest.fixture(autouse=True)
def _unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAVERSE_SIGNATURES", "off")
