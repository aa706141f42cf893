"""`aiplatform sweep`: what an environment left in the account after `destroy`, and its removal."""
