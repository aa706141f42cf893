"""One object laid over another."""

from aiplatform._shared.deep_merge import overlaid


def test_configuration_merges_objects_and_replaces_the_rest():
    assert overlaid({"a": {"x": 1, "y": [1]}, "b": 1}, {"a": {"y": [2]}}) == {"a": {"x": 1, "y": [2]}, "b": 1}
