"""The program: settings -> layers. No cloud resource is made here."""
