"""Keys of AWS KMS: those that a component creates, and those that its arguments name."""

from dataclasses import dataclass

from pulumi import Input, Output

from aiplatform._shared.args import Rule
from aiplatform._shared.aws.account import Account
from aiplatform._shared.outputs import checked, mapped
from aiplatform._shared.secret_names import KMS_KEY, location_of_key


@dataclass(frozen=True)
class Key:
    """A key by its arn, whether the component creates it or its arguments name it."""

    arn: Output[str]


def existing_key(arn: Input[str], account: Account, path: str) -> Key:
    """Return the key that an argument names. path: of the argument, `NetworkArgs.kms_key`.

    The component does not read the key: one of another account answers few requests (KMS developer guide,
    "Allowing users in other accounts to use a KMS key"). Raises ArgumentError for a key of another region,
    which no service accepts, and for another form; that of an output once it is known.
    """
    return Key(Output.from_input(mapped(arn, lambda known: checked(known, path, _in_region(account.region)))))


def _in_region(region: str) -> Rule:
    def rule(arn: str) -> str | None:
        problem = KMS_KEY(arn)
        if problem is not None:
            return problem
        other = location_of_key(arn)
        return None if other == region else f"a key in {other}; expected one in {region}, the provider's"

    return rule
