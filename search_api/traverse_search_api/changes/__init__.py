"""The log of what changed in the index (`traverse.changes`), and places on it."""
