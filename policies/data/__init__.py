"""How data is kept and who reaches it."""
