"""Where a model is wrong more often than elsewhere, and how its answers look without labels."""
