"""Bytes from a log become typed columns, or a dead letter with a reason."""
