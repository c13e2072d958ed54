"""How the answers of a model turned out: outcomes of labelled predictions, and metrics of windows of them."""
