"""The catalog of add-ons and the values of their charts."""
