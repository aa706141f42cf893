"""Everything that the program registers, as committed files that a pull request shows the changes of."""
