"""What one client may take from the server, so that the others are still answered."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """Bounds on size, number and time."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    body_bytes: Annotated[int, Field(ge=4096)] = 8 * 2**20
    """greatest body of a request, in bytes"""
    images: Annotated[int, Field(ge=1)] = 256
    """images of a request"""
    photos: Annotated[int, Field(ge=1)] = 16
    """photos of a request: to find a face takes many times as long as to answer it"""
    photo_seconds: Annotated[float, Field(gt=0)] = 10
    """time to read a photo and to find a face in it: a large one without a face takes three to five"""
    photo_queue: Annotated[int, Field(ge=1)] = 8
    """requests with photos that are being answered or wait for it; one more is refused with 503, so that photos never
    take all of the queue"""
    queue: Annotated[int, Field(ge=1)] = 32
    """requests that are being answered or wait for it; one more is refused with 503. So many whole bodies are held at
    most"""
    connections: Annotated[int, Field(ge=1)] = 1000
    """open connections; one more closes the one whose request is longest not whole"""
    header_seconds: Annotated[float, Field(gt=0)] = 10
    """time for the headers of a request, and for a client to take its answer"""
    body_seconds: Annotated[float, Field(gt=0)] = 20
    """time for the body of a request"""
    drain_seconds: Annotated[float, Field(ge=0)] = 2
    """after SIGTERM: how long new requests are still answered, for whoever sends them has to hear of it first"""
    grace_seconds: Annotated[int, Field(ge=1)] = 20
    """after that: how long requests that have arrived may take"""
