"""Everything that the program registers, as committed files: a pull request shows their changes."""
