"""The functions of the Google provider."""
