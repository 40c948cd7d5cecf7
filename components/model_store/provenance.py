"""What a submission, or dvc.yaml, says about a run: what push-model cannot find out by itself."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from components.fer.errors import InputError

PARAMETERS = "parameters.json"
"""the file of a version that has its parameters, for people and for `ferflow models verify`"""


class Provenance(BaseModel):
    """What `--provenance` holds as JSON, and a version's lineage for good."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    commit: str | None
    """git commit of the submission; none at a desk, where push-model finds it"""
    dirty: bool | None
    """whether the working tree differed from it"""
    images: Mapping[str, str]
    """by component, with their digests: train-backbone is REGISTRY/ferflow-train-backbone@sha256:..."""
    parameters: Mapping[str, bool | int | float | str]
    """by Kubeflow's names: section__key"""
    run: str | None
    """name of the run"""


def parse(text: str) -> Provenance | None:
    """Read `--provenance`; '' is none, as at a desk. Raises `InputError` where it is anything else."""
    if not text:
        return None
    try:
        return Provenance.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "text"
        raise InputError(
            f"provenance: expected JSON with commit, dirty, images, parameters and run, "
            f"received: {where}: {first['msg']}.",
            "ferflow submit writes it; leave it empty elsewhere: --provenance ''",
        ) from error
