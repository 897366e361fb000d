"""Which store a path or a URL means."""

from pathlib import Path

from facegen.dataset.stores.folder import FolderStore
from facegen.dataset.stores.store import Store


def open_store(where: str) -> Store:
    """The store of a path or a URL."""
    if "://" in where:
        from facegen.dataset.stores.url import UrlStore

        return UrlStore(where)
    return FolderStore(Path(where))
