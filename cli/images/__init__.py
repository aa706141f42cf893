"""The images and charts of an environment: which there are, and how a mirror gets them."""
