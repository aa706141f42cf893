"""The topic `addons`."""

from __future__ import annotations

from typing import Final

from aiplatform.addons.args import AddonsArgs, AddonsSettings
from stacks.settings.generated import topic_of

CHARTS_VARIABLE: Final = "AIPLATFORM_CHARTS"
"""The environment variable that states where charts come from on a machine, such as a CI runner without a
way to the internet: it replaces the file's `addons.charts`."""


class Addons(topic_of(AddonsArgs, AddonsSettings)):
    """The add-ons of the cluster. The environment variable AIPLATFORM_CHARTS replaces `charts` on the machine
    that has it."""
