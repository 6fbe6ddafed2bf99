"""Making the index anew from the log, beside the live one."""
