"""References: what a model was trained or accepted on, as sketches; made from a table or from live panes."""
