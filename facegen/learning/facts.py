"""What a file says of its network: what it estimates, and of which face model."""

from typing import Any

import msgspec

from facegen.dataset.index import ModelEntry
from facegen.errors import DatasetError, FacegenError
from facegen.learning.config import NetworkConfig
from facegen.recipe.recipe import Recipe, from_record
from facegen.scene.parameters import Layout, layout_from_json

FORMAT = 1


class NetworkError(FacegenError):
    """A file does not hold the network it should."""


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a network beside its tensors.

    recipe: {"name": ..., **table}; layout: [[group, width], ...]; weights: the loss's, by group;
    settings: the training's deciding settings.
    """

    network: NetworkConfig
    recipe: dict[str, Any]
    layout: list[tuple[str, int]]
    model: ModelEntry
    weights: dict[str, float]
    settings: dict[str, Any]
    step: int
    format: int = FORMAT

    @property
    def theta(self) -> Layout:
        """The schema of the theta it gives."""
        return layout_from_json(self.layout)

    @property
    def prior(self) -> Recipe:
        """The recipe of the data it was trained on first."""
        return from_record(self.recipe)


def read_facts(text: str | bytes, hint: str) -> Facts:
    """Facts from JSON that anybody may have written; NetworkError says what is wrong."""
    try:
        facts = msgspec.json.decode(text, type=Facts)
        width = facts.theta.width
    except (msgspec.MsgspecError, DatasetError) as error:
        raise NetworkError(f"not a network of facegen: {error}", hint) from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NetworkError(f"not a network of facegen: {error!r}", hint) from None
    if facts.format != FORMAT:
        raise NetworkError(f"a network of format {facts.format}, not {FORMAT}", hint)
    if width != facts.network.outputs or not facts.model.sha256:
        raise NetworkError("its layout is not that of its network", hint)
    return facts
