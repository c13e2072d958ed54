"""Columns become mergeable sketches per pane, with event time, lateness and duplicates decided per partition."""
