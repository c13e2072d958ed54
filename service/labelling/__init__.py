"""What a person should label, and when a model should be trained again."""
