"""Two versions of a model side by side: losses by the hour, a verdict, what stands beside it."""
