"""Columns become mergeable sketches per pane; lateness and duplicates are decided per partition."""
