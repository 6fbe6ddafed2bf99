"""Runs the engines, applies topics and index templates, and composes the `traverse` command."""
