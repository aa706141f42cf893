"""`aiplatform new`: a valid environment file from flags and questions."""
