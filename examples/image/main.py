"""Print a host name as DNS has it."""

import sys

import idna

name = sys.argv[1] if len(sys.argv) > 1 else "münchen.example"
sys.stdout.write(f"{idna.encode(name).decode()}\n")
