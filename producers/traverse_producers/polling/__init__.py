"""Reading a listing again and again, publishing only what changed since the last time."""
