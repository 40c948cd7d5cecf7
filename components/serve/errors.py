"""What can be wrong with what is to be answered, beside `InputError` itself."""

from components.fer.errors import InputError


class NoFace(InputError):
    """A photo in which no face is found."""
