"""What AWS refuses of any service: published models, tags; and moto's state as rules read it."""
