"""Configuration of the server."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from components.fer import stage
from components.serve.limits import Limits


class Config(stage.StageConfig):
    """Answer over HTTP which expression a face shows, with a stored version of the model."""

    model: Path | None = None
    """folder with the files of a version, as KServe's storage initializer leaves it in /mnt/models"""
    store: str = ""
    """instead of --model: model store, a folder or gs://BUCKET/PREFIX, and in it ..."""
    name: Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,62})?$")] = ""
    """... name of the model (with --model: that in its lineage.json unless another is given)"""
    version: Annotated[str, Field(pattern=r"^(\d{4,}-[0-9a-f]{8})?$")] = ""
    """version, such as 0003-1a2b3c4d (in a store: the champion unless another is given)"""
    host: str = "127.0.0.1"
    """address to listen at: this machine's own alone, or 0.0.0.0 for all"""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """port to listen at; 0 for any that is free"""
    observations: Path | None = None
    """folder to note features and answers in, for ferflow monitor; no images are kept"""
    limits: Limits = Limits()
    """what one client may take"""
