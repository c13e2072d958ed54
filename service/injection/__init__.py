"""Faults put into a copy of a log on purpose: to learn what a monitor finds before the night does."""
