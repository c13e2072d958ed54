"""PostgreSQL: checkpoints, configuration, results, dead letters. The only place that knows SQL."""
