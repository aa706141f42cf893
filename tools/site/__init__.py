"""The site of the documentation (`make docs`): what MkDocs needs beyond docs/, and checks of what it
built."""
