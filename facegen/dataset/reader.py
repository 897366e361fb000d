"""A data set opened to be read: its samples in order or by index, each member decoded."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from operator import index as whole
from typing import Any, SupportsIndex

from jaxtyping import Float32, UInt8

from facegen.dataset.encoding import (
    CODECS,
    LABEL,
    THETA,
    Layer,
    decode_array,
    decode_image,
    suffixes_of,
)
from facegen.dataset.index import INDEX, Index, ShardEntry, layers_of, read_index, recipe_of
from facegen.dataset.labels import Label, cameras_of, decode_label
from facegen.dataset.scan import complete_tars
from facegen.dataset.shards import parse_sample, sample_offsets
from facegen.dataset.stores.opening import open_store
from facegen.dataset.streaming import stream_samples
from facegen.errors import DatasetError, UsageError, located
from facegen.files import Array
from facegen.recipe.recipe import Recipe
from facegen.sampling.prior import Parent
from facegen.scene.cameras import Cameras
from facegen.scene.parameters import Layout, Parameters, layout_from_json


@dataclass(frozen=True)
class Schema:
    """What each sample of a data set has: theta's layout, the layers, and the recipe's image."""

    recipe: Recipe
    layout: Layout
    layers: frozenset[Layer]

    @property
    def suffixes(self) -> frozenset[str]:
        """The members of a sample."""
        return suffixes_of(self.layers, self.recipe.image)


class Layers(Mapping[Layer, Any]):
    """A sample's layers by name, each decoded when it is first asked for.

    mask: (H, W) uint8, 255 where the face is; depth: (H, W) float32, mm along the view axis, 0
    where nothing is; normal: (H, W, 3) uint8, n = 2 v / 255 - 1 in camera space; albedo and pncc:
    (H, W, 3) uint8; segmentation: (H, W) uint8; those with _beneath likewise; shading, specular and
    radiance: (H, W, 3) float32; landmarks and landmarks2d: (68, 3) float32, u, v, visible; cls: an
    int.
    """

    def __init__(self, sample: "Sample") -> None:
        self._sample = sample
        self._decoded: dict[Layer, Any] = {}

    def __getitem__(self, name: Layer) -> Any:
        if name not in self._sample.schema.layers:
            raise KeyError(name)
        if name not in self._decoded:
            with self._sample.located(name):
                codec = CODECS[name]
                self._decoded[name] = codec.decode(self._sample.members[codec.suffix])
        return self._decoded[name]

    def __iter__(self) -> Iterator[Layer]:
        return iter(sorted(self._sample.schema.layers))

    def __len__(self) -> int:
        return len(self._sample.schema.layers)


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample; what it holds is decoded when it is first asked for.

    key: its name in the shard; members: its encoded bytes by suffix. DatasetError says which member
    cannot be decoded.
    """

    key: str
    members: Mapping[str, bytes] = field(repr=False)
    schema: Schema = field(repr=False)
    shard: str

    @cached_property
    def image(self) -> UInt8[Array, "H W 3"]:
        """The pixels, RGB."""
        suffix = self.schema.recipe.image.format
        with self.located(suffix):
            return decode_image(self.members[suffix])

    @cached_property
    def vector(self) -> Float32[Array, "m"]:
        """theta as it is stored: every group in one vector."""
        with self.located(THETA):
            return decode_array(self.members[THETA], (self.schema.layout.width,))

    @cached_property
    def theta(self) -> Parameters:
        """theta by group: rotation (3,), shape, expression, reflectance, illumination (9, 3)."""
        return self.schema.layout.unpack(self.vector[None])[0]

    @property
    def index(self) -> int:
        """Its number among all samples of the recipe and seed."""
        return self._label.index

    @property
    def camera(self) -> Cameras:
        """K (3, 3) and model_to_camera (4, 4), float32, and the lens's k1 where it distorts."""
        return cameras_of([self._label])[0]

    @property
    def identity(self) -> int:
        """Whose face it is."""
        return self._label.identity

    @property
    def parent(self) -> Parent | None:
        """The estimate that it perturbs, if it does."""
        return self._label.parent

    @property
    def attributes(self) -> Mapping[str, float]:
        """The attributes that its recipe states, by name."""
        return self._label.attributes

    @property
    def grid(self) -> Mapping[str, int]:
        """The step of every axis of its recipe's grid, by name."""
        return self._label.grid

    @property
    def expression(self) -> Mapping[str, float]:
        """The weights of its expressions by name, where the model has names for them."""
        return self._label.expression

    @property
    def attire(self) -> Mapping[str, str]:
        """The piece worn in each slot, by name."""
        return self._label.attire

    @property
    def photography(self) -> Mapping[str, Any]:
        """How its photograph was taken, where it is one."""
        return self._label.image

    @cached_property
    def layers(self) -> Layers:
        """Its layers by name."""
        return Layers(self)

    def located(self, member: str) -> AbstractContextManager[None]:
        """Errors from inside name the shard and this member."""
        return located(self.shard, f"{self.key}.{member}")

    @cached_property
    def _label(self) -> Label:
        with self.located(LABEL):
            return decode_label(self.members[LABEL])


class Dataset:
    """The samples of a data set's complete shards, in order.

    `len(dataset)`, `dataset[i]`, `for sample in dataset`. A sample by index costs one read of a
    stretch of its shard; the first of each shard reads where the others lie (by URL, the shard).
    It holds no open file, so that processes and threads may share it.
    """

    def __init__(self, where: str, split: str | None = None) -> None:
        self.where, self.split = where, split
        self._store = open_store(where)
        index = read_index(self._store)
        with located(f"{self._store.where}/{INDEX}"):
            layout = layout_from_json(index.layout)
            self._schema = Schema(recipe_of(index), layout, layers_of(index))
            self._shards = _shards_of(index, split)
        complete_tars(index, self._store)
        self._stops = list(accumulate(shard.samples for shard in self._shards))
        self._offsets: dict[str, list[int]] = {}

    @property
    def recipe(self) -> Recipe:
        """The recipe it was made by."""
        return self._schema.recipe

    @property
    def layout(self) -> Layout:
        """The groups of theta and their widths."""
        return self._schema.layout

    @property
    def layers(self) -> frozenset[Layer]:
        """The layers that its samples have."""
        return self._schema.layers

    def __len__(self) -> int:
        return self._stops[-1] if self._stops else 0

    def __getitem__(self, position: SupportsIndex) -> Sample:
        place = range(len(self))[whole(position)]
        number = bisect_right(self._stops, place)
        shard = self._shards[number]
        row = place - (self._stops[number] - shard.samples)
        tar = f"{shard.name}.tar"
        start, stop = self._table(shard)[row : row + 2]
        with located(self._place(shard)):
            return self._sample(shard, *parse_sample(self._store.read_range(tar, start, stop)))

    def __iter__(self) -> Iterator[Sample]:
        for shard in self._shards:
            with self._store.local(f"{shard.name}.tar") as path:
                for key, members in stream_samples([path], self._schema.suffixes, None):
                    yield self._sample(shard, key, members)

    def __repr__(self) -> str:
        return f"<Dataset {self.where}: {len(self):,} samples of recipe {self.recipe.name}>"

    def _table(self, shard: ShardEntry) -> list[int]:
        """Where the samples of a shard begin and end."""
        if shard.name not in self._offsets:
            with self._store.local(f"{shard.name}.tar") as path:
                offsets = sample_offsets(path)
            if len(offsets) != shard.samples + 1:
                message = f"holds {len(offsets) - 1:,} samples; {INDEX} says {shard.samples:,}"
                raise DatasetError(f"{self._place(shard)}: {message}", "run `facegen verify`")
            self._offsets[shard.name] = offsets
        return self._offsets[shard.name]

    def _sample(self, shard: ShardEntry, key: str, members: Mapping[str, bytes]) -> Sample:
        missing = self._schema.suffixes - members.keys()
        if missing:
            message = f"{self._place(shard)}: {key}: has no {min(missing)}"
            raise DatasetError(message, "run `facegen verify`")
        return Sample(key, members, self._schema, self._place(shard))

    def _place(self, shard: ShardEntry) -> str:
        return f"{self._store.where}/{shard.name}.tar"


def _shards_of(index: Index, split: str | None) -> list[ShardEntry]:
    """The index's shards, or those of one split."""
    if split is not None and split not in index.splits:
        names = ", ".join(index.splits)
        raise UsageError(f"there is no split {split!r}", f"the data set has {names}")
    return [s for s in index.shards if split is None or s.name.rpartition("-")[0] == split]
