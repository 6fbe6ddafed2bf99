"""Matching: needs and what answers them, and purchases that could be made together."""
