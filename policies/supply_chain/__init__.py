"""Where images, charts and add-ons come from, and that they stay what they were."""
