"""What is encrypted, in rest and on the way, and with whose keys."""
