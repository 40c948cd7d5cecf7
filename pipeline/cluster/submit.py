"""`ferflow submit`: run a job on the cluster."""

from collections.abc import Sequence

from pipeline.cluster import remote, settings
from pipeline.cluster.request import assignments, request


def submit(recipe: str | None, assigned: Sequence[str], host: str | None, *, wait: bool) -> None:
    """Run the main job, or a recipe, on the cluster. Raises `InputError` before anything is sent."""
    here, changes = settings.read(host), assignments(assigned)
    asked = request(recipe, here, changes)
    md5 = remote.data_md5(asked.own, changes)
    with remote.in_background(asked.url, md5) as stored:
        from pipeline.cluster import submission  # KFP loads here, while the storage is asked

        submission.send(asked, here, md5, stored, wait=wait)
