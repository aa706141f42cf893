"""Whether users clicked what was recommended to them, by version of the model."""
