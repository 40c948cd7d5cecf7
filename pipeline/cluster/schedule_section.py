"""`schedule:` in a params.yaml: when the job runs by itself, and where it looks for the data's version.

schedule:
  cron: "0 0 3 * * 1"                             # six fields, seconds first: Mondays at 3
  data: https://HOST/TEAM/REPO/raw/main/data.dvc  # read at each run; also gs:// and s3://
  always: false                                   # true trains also where nothing changed
"""

import re

from pydantic import field_validator

from components.fer.errors import InputError
from pipeline import parameters, strict_yaml
from pipeline.cluster import cron
from pipeline.jobs import Job

EXAMPLE = 'Add one, e.g. schedule: {cron: "0 0 3 * * 1", data: https://.../data.dvc, always: false}'


class Section(strict_yaml.Entry):
    """The section."""

    cron: str
    data: str
    always: bool = False

    @field_validator("cron")
    @classmethod
    def _six_fields(cls, text: str) -> str:
        if problem := cron.problem(text):
            raise ValueError(problem)
        return text

    @field_validator("data")
    @classmethod
    def _address(cls, text: str) -> str:
        if not re.fullmatch(r"(https|gs|s3)://\S+", text):
            raise ValueError(f"expected the address of a data.dvc, https://, gs:// or s3://. Received: {text!r}")
        return text


def section(job: Job) -> Section | None:
    """The job's section, where it has one. Raises `InputError` where it is malformed."""
    path = job.folder / "params.yaml"
    found = parameters.document(path).get(parameters.SCHEDULE)
    return strict_yaml.checked(Section, found, f"parameters {path}: {parameters.SCHEDULE}") if found else None


def required(job: Job) -> Section:
    """The job's section. Raises `InputError` where there is none."""
    found = section(job)
    if found is None:
        raise InputError(f"parameters {job.folder / 'params.yaml'}: expected a section schedule, found none.", EXAMPLE)
    return found
