"""A simulated shop: the seeded generator of the clicks that the example's tests and demo use."""
