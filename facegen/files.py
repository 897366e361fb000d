"""What is known of any file."""

import hashlib
from pathlib import Path

from facegen.errors import FacegenError, located


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with located(path):
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FacegenError(error.strerror or str(error)) from None
