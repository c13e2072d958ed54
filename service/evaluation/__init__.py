"""Which windows of a model are due or restated, what is found in them, and what is told of it."""
