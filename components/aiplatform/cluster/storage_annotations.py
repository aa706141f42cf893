"""What Kubernetes knows a default StorageClass by."""

from typing import Final

DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
