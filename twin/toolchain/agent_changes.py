"""What is changed in the sources of KServe's agent, so that it runs as a process of this machine.

The agent is a container next to a server, and takes all of the Pod's network for itself: it listens on all
interfaces, and reaches the server at 127.0.0.1. Here each Pod has an address of loopback, which the option
`--component-host` states. A change that does not apply is an error of the build.
"""

from __future__ import annotations

from typing import Final

MODULE: Final = "github.com/kserve/kserve"
_MAIN: Final = "cmd/agent/main.go"
_STORAGE: Final = "pkg/agent/storage/utils.go"
_PORT: Final = '"Component port")\n'

CHANGES: Final[tuple[tuple[str, str, str], ...]] = (
    (_MAIN, _PORT, f'{_PORT}\tcomponentHost = flag.String("component-host", "", "Address of the Pod")\n'),
    (_MAIN, 'net.JoinHostPort("127.0.0.1", ', "net.JoinHostPort(*componentHost, "),
    (_MAIN, 'NewServer(":"+port,', 'NewServer(*componentHost+":"+port,'),
    (_MAIN, 'fmt.Sprintf(":%d", marshallerPort)', 'fmt.Sprintf("%s:%d", *componentHost, marshallerPort)'),
    (_MAIN, 'net.Listen("unix", unixSocketPath)', 'net.Listen("unix", unixSocketPath+*componentHost)'),
    (
        _MAIN,
        "for _, probe := range coreProbes {\n",
        "for _, probe := range coreProbes {\n"
        '\t\tif probe.HTTPGet != nil && probe.HTTPGet.Host == "" {\n'
        "\t\t\tprobe.HTTPGet.Host = *componentHost\n\t\t}\n",
    ),
    # The address of a bucket has no name of a host in front of it here.
    (
        _STORAGE,
        "awsConfig.Endpoint = ",
        "awsConfig.S3ForcePathStyle = aws.Bool(true)\n\t\t\tawsConfig.Endpoint = ",
    ),
)
"""A file of the module, a text in it, and what replaces each occurrence of the text."""
