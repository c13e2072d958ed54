"""A real stream that goes wrong by a script, for people who look at driftbell for the first time."""
