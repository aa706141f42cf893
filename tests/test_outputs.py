"""Outputs are declared once, by the annotations of a component's class."""

from __future__ import annotations

from types import ModuleType

import pulumi
import pytest

from aiplatform._plugin import COMPONENTS
from aiplatform._shared.args import ArgumentError, keys, read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references import cluster, identity, lakehouse
from aiplatform.network import args as network
from tests.components import recording
from tests.generating import outputs

SAMPLE = '''
from typing import TypedDict

from pulumi import ComponentResource, Output

from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform._shared.component_outputs import KnownOutput

class Part(TypedDict):
    size: int

class Sample(ComponentResource):
    """A sample."""

    name: KnownOutput[str]
    """Its name."""
    taints: KnownOutput[list[TaintArgs]]
    """Its taints,
    in two lines."""
    parts: Output[list[Part]]
    """Its parts."""
    arn: Output[str | None]
    """AWS: its arn."""
'''
GENERATED = '''from typing import TYPE_CHECKING, TypedDict

from pulumi import Input

from aiplatform._shared.kubernetes.names import TaintArgs

if TYPE_CHECKING:
    from aiplatform.sample import Part


class SampleOutputs(TypedDict):
    """Outputs of Sample."""

    name: str
    """Its name."""
    taints: list[TaintArgs]
    """Its taints,
    in two lines."""
    parts: "Input[list[Part]]"
    """Its parts."""
    arn: Input[str] | None
    """AWS: its arn."""
'''


class Box(pulumi.ComponentResource):
    """A component with two outputs."""

    name: KnownOutput[str]
    arn: pulumi.Output[str | None]


def test_a_typed_dict_has_the_outputs_of_the_class_and_plain_values_where_they_are_known() -> None:
    text = outputs.text(outputs.parse(SAMPLE, "aiplatform.sample"))
    assert text.endswith(GENERATED), "what the component's module defines would be a circular import"


def test_an_output_without_a_docstring_is_refused() -> None:
    with pytest.raises(KeyError, match=r"Sample\.arn has no docstring"):
        outputs.parse(SAMPLE.replace('    """AWS: its arn."""\n', "    pass\n"), "aiplatform.sample")


def test_an_annotation_that_is_no_output_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Sample\.name: expected Output"):
        outputs.parse(SAMPLE.replace("KnownOutput[str]", "str"), "aiplatform.sample")


def test_published_outputs_are_attributes_and_are_registered() -> None:
    arn = pulumi.Output[str]

    def program() -> None:
        nonlocal arn
        box, arn = Box("aiplatform:index:Box", "box"), pulumi.Output.from_input("arn:box")
        publish(box, {"name": "box", "arn": arn})
        assert box.arn is arn, "principals are looked up by the identity of their output"
        assert isinstance(box.name, pulumi.Output)

    assert recording.record(program).one("aiplatform:index:Box").outputs == {"name": "box", "arn": "arn:box"}


def test_an_output_that_was_not_built_is_none() -> None:
    def program() -> None:
        box = Box("aiplatform:index:Box", "box")
        publish(box, {"name": "box"})
        box.arn.apply(values.append)

    values: list[str | None] = []
    recording.record(program)
    assert values == [None]


def test_an_output_that_the_class_does_not_declare_is_refused() -> None:
    def program() -> None:
        with pytest.raises(TypeError, match="Box does not declare the output colour"):
            publish(Box("aiplatform:index:Box", "box"), {"name": "box", "colour": "red"})

    recording.record(program)


@pytest.mark.parametrize(
    ("module", "reference"),
    [
        (network, "NetworkReference"),
        (cluster, "ClusterReference"),
        (lakehouse, "LakehouseReference"),
        (identity, "WorkloadIdentityReference"),
    ],
)
def test_a_reference_accepts_every_output_of_its_component(module: ModuleType, reference: str) -> None:
    model, arguments = getattr(module, reference), getattr(module, f"{reference}Args")
    declared = {output.key for output in outputs.component(outputs.REFERENCES[reference]).outputs}
    assert declared <= arguments.__annotations__.keys(), "outputs are passed on unchanged"
    assert declared <= keys(model)


def test_an_output_that_no_component_reads_is_accepted_and_an_unknown_key_is_refused() -> None:
    arguments = {"name": "acme", "security_group_id": "sg-1", "kubeconfig": "{}"}
    assert read(cluster.ClusterReference, arguments, "cluster").name == "acme"
    with pytest.raises(ArgumentError, match=r"cluster\.kubeconfg: unknown key; did you mean 'kubeconfig'"):
        read(cluster.ClusterReference, {**arguments, "kubeconfg": "{}"}, "cluster")


def test_every_component_is_generated_or_has_a_reference() -> None:
    folders = {component.__module__.rsplit(".", 1)[-1] for component in COMPONENTS}
    assert folders == set(outputs.REFERENCES.values()) | set(outputs.ENTITIES), (
        "add a new component to ENTITIES of tests/generating/outputs.py"
    )
