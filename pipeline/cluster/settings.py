"""infra/cluster.yaml: the settings of the team's cluster."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from components.fer.errors import InputError
from pipeline import strict_yaml
from pipeline.desk import ROOT
from pipeline.parameters import Scalar

SETTINGS = ROOT / "infra" / "cluster.yaml"


class Settings(strict_yaml.Entry):
    """All of infra/cluster.yaml, which says what each is."""

    host: str
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    pipeline_root: str
    service_account: str
    credentials: Literal["google", "none"]
    data: str
    parameters: dict[str, Scalar]

    @field_validator("host")
    @classmethod
    def _address(cls, host: str) -> str:
        if host and not re.fullmatch(r"https?://\S+", host):
            raise ValueError(f"expected https://HOST or http://HOST. Received: {host!r}")
        return host.rstrip("/")

    @field_validator("pipeline_root", "data")
    @classmethod
    def _storage(cls, address: str) -> str:
        if address and not re.fullmatch(r"(gs|s3)://\S+", address):
            raise ValueError(f"expected gs://BUCKET/PREFIX or s3://BUCKET/PREFIX. Received: {address!r}")
        return address.rstrip("/")


def read(host: str | None = None) -> Settings:
    """Read the settings, with `host` in place of theirs where it is given. Raises `InputError` without any host."""
    found = strict_yaml.read(Settings, SETTINGS, "cluster settings")
    if host is not None:
        found = strict_yaml.checked(Settings, {**found.model_dump(), "host": host}, "cluster settings with --host")
    if not found.host:
        raise InputError(
            f"cluster settings {SETTINGS}: host: expected the address of Kubeflow Pipelines, found none.",
            "Write it there, e.g. host: https://kubeflow.example.com, or give it with --host.",
        )
    return found
