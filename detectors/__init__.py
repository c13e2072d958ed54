"""Drift detectors: counts of a reference and a current window in, scores out."""
