"""What a model's rows must be: inferred from a reference, held against sketches, said in sentences."""
