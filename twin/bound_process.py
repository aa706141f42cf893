"""A program that ends with the process that starts it, also where that one is killed.

As a script it runs without the site's packages: `python -I -S bound_process.py SIGNAL PROGRAM [ARGUMENT]...`.
A killed process can end none of its children; on Linux the kernel sends them a signal (prctl(2),
PR_SET_PDEATHSIG). Other systems have no such call, and the program runs as without the script.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
INIT = 1


def command(number: int, line: list[str]) -> list[str]:
    """Return the command line of a program that gets a signal when the process that starts it has ended."""
    if sys.platform != "linux":
        return line
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), str(int(number)), *line]  # noqa: PTH100


def main() -> None:
    """Become the program."""
    number, program = int(sys.argv[1]), sys.argv[2]
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if parent == INIT or os.getppid() != parent:
        sys.exit(f"{program} is not started: the process that wanted it has ended")
    try:
        os.execvp(program, sys.argv[2:])  # noqa: S606 - the caller's program
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}")


if __name__ == "__main__":
    main()
