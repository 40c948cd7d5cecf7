"""The exceptions a user can meet.

FerflowError
|-- InputError        bad data or configuration; a retry would not help  exit 1
|-- UsageError        a command line that cannot be understood           exit 2
`-- TemporaryError    storage or network fault; a retry may help         exit 75
Stopped               SIGTERM arrived; start the same command again      exit 75
"""


class FerflowError(Exception):
    """What was expected, what was received and where; then, on its own line, what mends it."""

    exit_code = 1

    def __init__(self, problem: str, mend: str = "") -> None:
        super().__init__(f"{problem}\n{mend}" if mend else problem)


class InputError(FerflowError):
    """Bad data or configuration: a retry would not help."""


class UsageError(FerflowError):
    """A command line that cannot be understood."""

    exit_code = 2


class TemporaryError(FerflowError):
    """A fault that may be gone at the next try."""

    exit_code = 75


class Stopped(BaseException):
    """The stage was told to stop (SIGTERM). No `Exception`, as KeyboardInterrupt: no library's retry shall catch it."""

    exit_code = 75

    def __init__(self, kept: str = "") -> None:
        """`kept` says what the same command will go on from."""
        super().__init__(
            f"The stage was told to stop (SIGTERM) and {kept or 'wrote nothing'}.\nStart the same command again."
        )
