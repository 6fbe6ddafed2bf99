"""Rights over data: where a person's data is, its erasure, and the data officer's page."""
