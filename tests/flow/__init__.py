"""Bytes in, rows, metrics and pages out: the real processes on real servers."""
