"""The annotation of a default StorageClass."""

from typing import Final

DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
