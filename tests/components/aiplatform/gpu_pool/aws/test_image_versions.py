"""The release of the image of a GPU pool on EKS."""

from tests.components.aiplatform.gpu_pool.test_gpu_pool import groups, pool


def test_a_pool_keeps_its_release_when_the_control_plane_is_upgraded() -> None:
    (group,) = groups(pool(image_version="1.35.8-20260930")).values()
    assert group.inputs["releaseVersion"] == "1.35.8-20260930"
    assert group.inputs["version"] == "1.35", "EKS refuses a release of another minor version"
    (group,) = groups(pool(image="bottlerocket", image_version="1.64.0-6f4c2b1e")).values()
    assert (group.inputs["releaseVersion"], group.inputs["version"]) == ("1.64.0-6f4c2b1e", "1.36")
