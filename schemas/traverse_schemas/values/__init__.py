"""Typed values: each knows its form, checks it, and says in French how to mend it."""
