"""Proofs over log and index: that they say the same, and that what was erased is gone."""
