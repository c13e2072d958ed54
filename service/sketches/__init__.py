"""Mergeable, integer-count summaries of columns, and their bytes: the words that panes, store and scoring share."""
