"""What the lakehouse is on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "": On(
        aws="S3 buckets, Iceberg tables in the Glue Data Catalog, Lake Formation, an Athena workgroup",
        gcp=refused("it is not built there yet; make one on AWS"),
    ),
}
