"""Reference tables: territories, CPV, themes. Loaded when asked for, never at import."""
