"""Findings become alerts with a state, and alerts become incidents with a cause."""
