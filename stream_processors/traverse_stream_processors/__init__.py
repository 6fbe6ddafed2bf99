"""The journey of an accepted event: validate, enrich, link, index."""
