"""`aiplatform plan`: plans of previews, saved in a form that can be compared."""
