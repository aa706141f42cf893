"""Options of a component's children."""

from typing import Any, cast

import pulumi

from aiplatform._shared.context import Context

PARENT = cast(pulumi.ComponentResource, object())


def context() -> Context[dict[str, Any]]:
    return Context(PARENT, "lake", {})


def test_a_child_leaves_all_other_options_to_the_enclosing_component() -> None:
    options = context().options()
    assert options.parent is PARENT
    unset = (options.depends_on, options.retain_on_delete, options.delete_before_replace, options.protect)
    assert unset == (None, None, None, None), "False would override the option of an enclosing component"


def test_a_child_can_be_retained_and_depend_on_others() -> None:
    other = object.__new__(pulumi.Resource)
    options = context().options(other, retain=True, delete_before_replace=True)
    assert options.depends_on == [other]
    assert options.retain_on_delete
    assert options.delete_before_replace


def test_a_call_uses_the_provider_of_the_component() -> None:
    assert context().invoke_options.parent is PARENT
