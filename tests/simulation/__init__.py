"""The real collector and evaluation over a simulated log, group and database: each run is decided by a seed."""
