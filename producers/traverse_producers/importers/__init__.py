"""Importers: open data of others, read as a stream and told as events."""
