"""References to other components, or to resources that the platform did not create."""
