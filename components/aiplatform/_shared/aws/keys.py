"""Keys of AWS KMS: those that a component creates, and those that its arguments name."""

from dataclasses import dataclass

from pulumi import Input, Output

from aiplatform._shared.args import ArgumentError
from aiplatform._shared.aws.account import Account
from aiplatform._shared.outputs import mapped
from aiplatform._shared.secret_names import key_problems


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

    def checked(known: str) -> str:
        problems = list(key_problems(path, known, "aws", account.region))
        if problems:
            raise ArgumentError(problems)
        return known

    return Key(Output.from_input(mapped(arn, checked)))
