"""The story of the example on a laptop: the services as processes, with stores in files."""
