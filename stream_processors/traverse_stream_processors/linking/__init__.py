"""Linking: which records speak of one real thing, and what they say together."""
