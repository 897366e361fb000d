"""A data set's own pages: card and preview, written from the shards' reports."""

from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from facegen import __version__
from facegen.dataset.encoding import decode_image, encode_image, suffixes_of
from facegen.dataset.index import CONVENTIONS, index_of, write_index
from facegen.dataset.report import ShardReport
from facegen.dataset.shards import read_samples
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.store import Store
from facegen.files import name_in_words
from facegen.recipe.image import ImageFormat
from facegen.recipe.plan import splits_of

T = TypeVar("T")

CARD, PREVIEW = "README.md", "preview.jpg"
PREVIEW_FACES, PREVIEW_COLUMNS, PREVIEW_TILE = 64, 8, 240


def write_pages(spec: ResolvedSpec, store: Store, reports: list[ShardReport]) -> None:
    """Write dataset.json, README.md and preview.jpg of a finished data set."""
    ordered = sorted(reports, key=lambda report: report.start)
    store.write(PREVIEW, preview(spec, store, ordered))
    store.write(CARD, card(spec, ordered).encode())
    write_index(store, index_of(spec, ordered))


def preview(spec: ResolvedSpec, store: Store, reports: list[ShardReport]) -> bytes:
    """A contact sheet of the first faces of shards spread over the data set, as JPEG."""
    shown = spread(reports, PREVIEW_FACES)
    each = -(-PREVIEW_FACES // len(shown))
    images: list[bytes] = []
    for report in shown:
        with store.local(f"{report.name}.tar") as path:
            samples = islice(read_samples(path), each)
            images += [members[spec.recipe.image.format] for _, members in samples]
    return contact_sheet(images[:PREVIEW_FACES])


def contact_sheet(images: list[bytes]) -> bytes:
    """Encoded images in rows of eight, as JPEG."""
    tile, columns = PREVIEW_TILE, min(PREVIEW_COLUMNS, len(images))
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * tile, rows * tile), "white")
    for i, data in enumerate(images):
        image = Image.fromarray(decode_image(data))
        small = image.resize((tile, tile), Image.Resampling.LANCZOS)
        sheet.paste(small, (i % columns * tile, i // columns * tile))
    return encode_image(np.asarray(sheet), ImageFormat(tile, "jpg", 90))


def spread(items: list[T], most: int) -> list[T]:
    """Up to `most` of the items, evenly spread."""
    picks = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[i] for i in picks]


def card(spec: ResolvedSpec, reports: list[ShardReport]) -> str:
    """The data set card that the Hugging Face hub reads."""
    count = sum(report.samples for report in reports)
    image = spec.recipe.image
    groups = "\n".join(
        f"| {group.name} | {group.width} | {spec.layout.slices[group.name].start} | {group.unit} |"
        for group in spec.layout.groups
    )
    has_depth, first = "depth" in spec.layers, f"{split_names(spec)[0]}-000000.tar"
    members = ", ".join(sorted(suffixes_of(spec.layers, image)))
    return _CARD.format(
        size_category=size_category(count),
        files="\n".join(f"  - split: {n}\n    path: {n}-*.tar" for n in split_names(spec)),
        name=name_in_words(Path(spec.out).name),
        count=count,
        size=image.size,
        recipe=spec.recipe.name,
        description=spec.recipe.table.get("description", ""),
        model=spec.model.name,
        seed=spec.seed,
        width=spec.layout.width,
        groups=groups,
        members=members,
        version=__version__,
        conventions=CONVENTIONS,
        reading=(_WITH_DEPTH if has_depth else _PLAIN).format(first=first, image=image.format),
        depth_note=_DEPTH_NOTE if has_depth else "",
    )


def split_names(spec: ResolvedSpec) -> list[str]:
    """The data set's splits."""
    return [split.name for split in splits_of(spec.recipe, spec.count)]


def size_category(count: int) -> str:
    """The hub's name for a number of samples."""
    edges = [(1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M")]
    edges += [(1e7, "1M<n<10M"), (1e8, "10M<n<100M"), (1e9, "100M<n<1B")]
    return next((name for edge, name in edges if count < edge), "n>1B")


_CARD = """---
pretty_name: {name}
size_categories:
- {size_category}
tags:
- webdataset
- synthetic
- face
- 3d-morphable-model
configs:
- config_name: default
  data_files:
{files}
---
# {name}

{count:,} synthetic faces of {size} x {size} pixels with the exact parameters they were rendered
from, made by facegen {version}.

![preview](preview.jpg)

- Recipe: {recipe} ({description}); whole in `dataset.json`
- Face model: {model}
- Seed: {seed}
- Members of a sample: {members}

## theta.npy, float32 ({width},)

| group | width | from | unit |
|---|---|---|---|
{groups}

## Conventions

{conventions}

## Reading it

```python
import facegen

for sample in facegen.open_dataset("."):
    image, theta, camera = sample.image, sample.theta, sample.camera
```

`theta` comes by group (`sample.theta.shape`), layers in their units (`sample.layers["depth"]` is
float32, in mm). Without facegen, for example:

```python
{reading}```
{depth_note}"""

_PLAIN = """import webdataset

samples = webdataset.WebDataset("{first}", shardshuffle=False)
for sample in samples.decode("rgb8"):
    image, theta = sample["{image}"], sample["theta.npy"]
"""

# Decoded as RGB of 8 bit, depth would lose all but its highest bits.
_WITH_DEPTH = """import io

import numpy
import webdataset
from PIL import Image


def depth_mm(data):
    return numpy.asarray(Image.open(io.BytesIO(data)), numpy.float32) / 10


samples = webdataset.WebDataset("{first}", shardshuffle=False)
for sample in samples.decode(webdataset.handle_extension("depth.png", depth_mm), "rgb8"):
    image, theta, depth = sample["{image}"], sample["theta.npy"], sample["depth.png"]
"""

_DEPTH_NOTE = """
`depth.png` has 16 bits, in tenths of a millimetre along the view axis, 0 where nothing is. Readers
that turn every image into 8 bits lose it.
"""
