"""Ask a server by its name in the cluster, and print the answer and a package of this environment."""

import sys
import urllib.request

import iniconfig

with urllib.request.urlopen(sys.argv[1], timeout=20) as answer:  # noqa: S310 - of a test
    sys.stdout.write(answer.read().decode() + "\n")
sys.stdout.write(f"package {iniconfig.__name__}\n")
