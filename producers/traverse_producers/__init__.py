"""How institutions publish: the SDK (`Publisher`), file readers and the importers of open data."""
