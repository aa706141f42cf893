"""`python -m cli`: the command `aiplatform`."""

import sys

from cli.app import main

sys.exit(main())
