"""`aiplatform estimate`: dollars a month of an environment, from the resources of its preview."""
