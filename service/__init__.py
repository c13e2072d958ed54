"""driftbell: a streaming drift monitor for machine-learning models."""

__version__ = "0.1.0"
