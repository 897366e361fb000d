"""A data set's own pages, index, card and preview, all written from the shards' reports."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facegen import __version__
from facegen.job import FORMAT, Job
from facegen.layers import encode_image
from facegen.plan import splits_of
from facegen.recipe import ImageFormat
from facegen.shards import ShardReport, read_samples
from facegen.stores import Store

PACKAGES = ("numpy", "scipy", "pillow", "moderngl", "numba")
PREVIEW_FACES, PREVIEW_COLUMNS, PREVIEW_TILE = 64, 8, 240
CONVENTIONS = (
    "Model space: mm, x right, y up, z out of the face. Eye space: OpenGL's. "
    "Pixels: u right, v down, (0, 0) the top-left corner; u = cx - f X/Z, v = cy + f Y/Z. "
    "R = R_z(roll) R_y(yaw) R_x(pitch), radians. "
    "colour = clip(reflectance * (H(n) . illumination), 0, 1). See CONVENTIONS.md of facegen."
)


def write_index(job: Job, store: Store, reports: list[ShardReport]) -> None:
    """Write dataset.json: what is being made, and the shards that are done."""
    store.write("dataset.json", (json.dumps(index(job, reports), indent=1) + "\n").encode())


def write_pages(job: Job, store: Store, reports: list[ShardReport]) -> None:
    """Write dataset.json, README.md and preview.jpg of a finished data set."""
    ordered = sorted(reports, key=lambda report: report.start)
    store.write("preview.jpg", preview(job, store, ordered))
    store.write("README.md", card(job, ordered).encode())
    write_index(job, store, ordered)


def index(job: Job, reports: list[ShardReport]) -> dict[str, Any]:
    """What dataset.json says."""
    return {
        "format": FORMAT,
        "digest": job.digest,
        "count": job.count,
        "done": sum(report.samples for report in reports),
        "seed": job.seed,
        "recipe": job.recipe.record,
        "model": {"name": job.model.name, "sha256": job.model.sha256},
        "layout": job.layout.to_json(),
        "splits": {s.name: s.stop - s.start for s in splits_of(job.recipe, job.count)},
        "estimates": estimates(job),
        "layers": sorted(job.layers),
        "backgrounds": job.backgrounds.digest if job.backgrounds else None,
        "devices": sorted({report.device for report in reports}),
        "conventions": CONVENTIONS,
        "versions": versions(),
        "shard_size": job.shard_size,
        "shards": [
            {"name": r.name, "samples": r.samples, "bytes": r.bytes, "sha256": r.sha256}
            for r in reports
        ],
    }


def estimates(job: Job) -> dict[str, Any] | None:
    """What dataset.json says of the estimates that were resampled around."""
    file = job.estimates
    if file is None:
        return None
    return {"file": file.path.name, "sha256": file.sha256, "weighted": file.weighted}


def versions() -> dict[str, str]:
    """The versions of what has a say in the pixels."""
    found = {"facegen": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def preview(job: Job, store: Store, reports: list[ShardReport]) -> bytes:
    """A contact sheet of the first faces of shards spread over the data set, as JPEG."""
    chosen = spread(reports, PREVIEW_FACES)
    each = -(-PREVIEW_FACES // len(chosen))
    pictures: list[bytes] = []
    for report in chosen:
        with store.local(f"{report.name}.tar") as path:
            samples = islice(read_samples(path), each)
            pictures += [members[job.recipe.image.format] for _, members in samples]
    return contact_sheet(pictures[:PREVIEW_FACES])


def contact_sheet(pictures: list[bytes]) -> bytes:
    """Encoded pictures in rows of eight, as JPEG."""
    tile, columns = PREVIEW_TILE, min(PREVIEW_COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * tile, rows * tile), "white")
    for i, data in enumerate(pictures):
        with Image.open(BytesIO(data)) as picture:
            small = picture.convert("RGB").resize((tile, tile), Image.Resampling.LANCZOS)
        sheet.paste(small, (i % columns * tile, i // columns * tile))
    return encode_image(np.asarray(sheet), ImageFormat(tile, "jpg", 90))


def spread(items: list[Any], most: int) -> list[Any]:
    """Up to `most` of the items, evenly spread."""
    picks = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[i] for i in picks]


def card(job: Job, reports: list[ShardReport]) -> str:
    """The data set card that the Hugging Face hub reads."""
    count = sum(report.samples for report in reports)
    image = job.recipe.image
    groups = "\n".join(
        f"| {group.name} | {group.width} | {job.layout.slices[group.name].start} | {group.words} |"
        for group in job.layout.groups
    )
    members = ", ".join([image.format, "theta.npy", "json", *sorted(job.layers)])
    return _CARD.format(
        size_category=size_category(count),
        files="\n".join(f"  - split: {n}\n    path: {n}-*.tar" for n in split_names(job)),
        first=f"{split_names(job)[0]}-000000.tar",
        name=Path(job.out).resolve().name,
        count=count,
        size=image.size,
        recipe=job.recipe.name,
        description=job.recipe.table.get("description", ""),
        model=job.model.name,
        seed=job.seed,
        width=job.layout.width,
        groups=groups,
        members=members,
        image=image.format,
        version=__version__,
        conventions=CONVENTIONS,
    )


def split_names(job: Job) -> list[str]:
    """The data set's splits."""
    return [split.name for split in splits_of(job.recipe, job.count)]


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
import webdataset

samples = webdataset.WebDataset("{first}", shardshuffle=False).decode("rgb")
for sample in samples:
    image, theta = sample["{image}"], sample["theta.npy"]
```
"""
