"""Merged panes become windows, windows become findings: scores with their limits and verdicts."""
