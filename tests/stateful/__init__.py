"""State machines: any order of steps on the real database, compared after each with a plain model of what it means."""
