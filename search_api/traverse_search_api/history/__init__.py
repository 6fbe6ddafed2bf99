"""History: every version of an opportunity, from the log of accepted events."""
