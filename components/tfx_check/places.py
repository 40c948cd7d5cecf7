"""Where the stage works."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Folders below one working folder."""

    work: Path

    @property
    def sliced(self) -> Path:
        """Examples with the features that slice: Split-public and Split-stored."""
        return self.work / "sliced"

    @property
    def model(self) -> Path:
        """The stored SavedModel."""
        return self.work / "model"

    @property
    def over_examples(self) -> Path:
        """The same behind a signature that takes Examples."""
        return self.work / "over_examples"

    @property
    def golden(self) -> Path:
        """Images and the answers that evaluate saw."""
        return self.work / "golden.npz"

    @property
    def serving(self) -> Path:
        """Where Pusher pushes."""
        return self.work / "serving"

    @property
    def root(self) -> Path:
        """TFX's pipeline root."""
        return self.work / "root"

    def output(self, component: str, name: str) -> Path:
        """What a component wrote: it ran once."""
        (found,) = (self.root / component / name).iterdir()
        return found
