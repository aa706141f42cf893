"""What is made from the types: the plugin's schema, and the tables of the docs."""
