"""Concept drift on an ordered stream: single values, or the means of panes with their rows."""
