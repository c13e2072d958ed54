"""One window of a model, judged: its slices are scored, the evidence is added up, and what rings is explained."""
