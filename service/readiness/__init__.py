"""How well a model is monitored: the evidence for each test, its points, what is missing."""
