"""What is the same in every cloud's provider: names, differences, drift, adoption, configuration."""
