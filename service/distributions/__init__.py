"""One column's values beside those it is compared with, and over time: what charts and their tables show."""
