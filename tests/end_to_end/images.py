"""Push images as clients of ECR do."""

from __future__ import annotations

import hashlib
import json
from typing import Any

LAYER = b"a layer"


def push(ecr: Any, repository: str, tag: str) -> str:
    """Send the requests of `docker push`; return the image's digest."""
    assert ecr.get_authorization_token()["authorizationData"]
    named = {"repositoryName": repository}
    digest = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"
    ecr.batch_check_layer_availability(**named, layerDigests=[digest])
    upload = ecr.initiate_layer_upload(**named)["uploadId"]
    ecr.upload_layer_part(
        **named, uploadId=upload, partFirstByte=0, partLastByte=len(LAYER) - 1, layerPartBlob=LAYER
    )
    ecr.complete_layer_upload(**named, uploadId=upload, layerDigests=[digest])
    docker = "application/vnd.docker"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{docker}.distribution.manifest.v2+json",
        "config": {"mediaType": f"{docker}.container.image.v1+json", "size": len(LAYER), "digest": digest},
        "layers": [
            {"mediaType": f"{docker}.image.rootfs.diff.tar.gzip", "size": len(LAYER), "digest": digest}
        ],
    }
    image = ecr.put_image(
        **named,
        imageManifest=json.dumps(manifest),
        imageTag=tag,
        imageManifestMediaType=manifest["mediaType"],
    )["image"]
    return image["imageId"]["imageDigest"]
