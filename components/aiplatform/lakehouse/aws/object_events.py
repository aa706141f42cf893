"""Who is told of files that arrive, by EventBridge."""

from aiplatform.lakehouse.aws.context import FILES, Context
from aiplatform.lakehouse.aws.event_rules import told
from aiplatform.lakehouse.aws.names import ARRIVALS


def tell(context: Context) -> None:
    """A rule for objects that are created under `files/` of raw, and its targets. Files of tables
    are no news: a table changes with a commit, not with a file."""
    told(
        context,
        "arrivals",
        ARRIVALS,
        f"Files that arrive in {context.bucket('raw')}",
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [context.bucket("raw")]},
                "object": {"key": [{"prefix": f"{FILES}/"}]},
            },
        },
        context.settings.arrival_targets,
    )
