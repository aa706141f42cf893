"""What users did until a time, in a table that Feast reads, and the examples that the model is trained
with."""
