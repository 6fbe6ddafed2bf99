"""The one mutualised view: a French search over HTTP."""
