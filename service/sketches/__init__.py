"""Mergeable summaries of columns in integers, and their bytes: what panes, store and scoring share."""
