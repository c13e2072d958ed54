"""Realized performance out of mergeable counts, and estimated performance without labels."""
