"""Two ranks that meet at the address in their arguments. Run with -E: without the twin's sitecustomize."""

import os
import socket
import sys

host, _, port = sys.argv[1].partition(":")
if os.environ["JOB_COMPLETION_INDEX"] == "0":
    with socket.create_server((sys.argv[2], int(port))) as server:
        connection, _ = server.accept()
        sys.stdout.write(f"rank 0 got {connection.recv(100).decode()}\n")
else:
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).sendall(b"hello of rank 1")
        except ConnectionRefusedError:
            continue
        break
