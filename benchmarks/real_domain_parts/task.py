"""Everything a photograph of the "real" domain follows from."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from facegen.recipe.loading import DEFAULT, load
from facegen.recipe.recipe import Recipe

FORMAT = 1
SHARD_SIZE = 25
SPLITS = {"train": 0, "validation": 10_000_000, "test": 20_000_000}
DESCRIPTION = "Framed like these; but theta is not drawn from these priors: see real_domain.py"
DISTANCE = {"distribution": "uniform", "low_mm": 800, "high_mm": 1400}
TYPICAL_QUALITY = 80


@dataclass(frozen=True)
class Task:
    """Everything a sample follows from, and where the samples go."""

    seed: int
    size: int
    samples_per_pixel: int
    model_sha256: str
    out: Path

    @cached_property
    def recipe(self) -> Recipe:
        """The default recipe with this domain's camera: how photographs are framed."""
        image = {"size": self.size, "format": "jpg", "quality": TYPICAL_QUALITY}
        changes = {"description": DESCRIPTION, "camera": {"distance": DISTANCE}, "image": image}
        return load(DEFAULT).with_changes(changes)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what decides a sample's content; not where it goes, nor how many there are."""
        settings = {**asdict(self), "format": FORMAT, "out": None}
        settings |= {"shard_size": SHARD_SIZE, "recipe": self.recipe.fingerprint}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
