"""Whether the database says what the log says: recomputed in one pass by one worker, and compared."""
