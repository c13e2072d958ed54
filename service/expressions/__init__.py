"""A small, safe language for rules about one row: parsed once, evaluated on whole columns."""
