"""`aiplatform monitor`: what monitors of models report."""
