"""The panes that are stored, judged by other monitors: what would have paged."""
