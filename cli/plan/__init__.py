"""`aiplatform plan`: what a preview would do, in a form that two previews can be compared by."""
