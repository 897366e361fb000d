"""The page of a report: HTML with its style, charts and images inside; nothing is fetched."""

import base64
from html import escape
from importlib.resources import files

import numpy as np

from facegen import __version__
from facegen.dataset.card import size_category, spread
from facegen.inspection import charts
from facegen.inspection.report import Facts, Panel, light, pose, speeds, stage_shares
from facegen.recipe.distributions import Constant, Distribution, Mixture, Normal, Uniform
from facegen.rendering.devices import in_short

COLUMNS, LISTED = 200, 500
CELLS = (8, 28)
STATED_SPREAD = 6.0


def page(content: Facts) -> str:
    """The whole page."""
    sections = [
        header(content),
        section("Faces", sheet(content)),
        section("Parameters", parameters(content), PARAMETERS),
        section("Coverage", coverage(content), COVERAGE),
        section("Making it", making(content)),
        section("What it is", facts_table(content) + shard_table(content)),
    ]
    style = files("facegen.inspection").joinpath("report.css").read_text("utf-8")
    title = escape(name_of(content))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{style}</style><main>{''.join(sections)}</main></html>\n"
    )


PARAMETERS = (
    "Bars are what the labels hold, the line is what the recipe states. Dimensions of one "
    "distribution are shown together."
)
COVERAGE = "The stronger the colour, the more faces. Light is that of the first-order coefficients."


def name_of(content: Facts) -> str:
    """The data set's name."""
    return content.spec.out.rstrip("/").rsplit("/", 1)[-1]


def header(content: Facts) -> str:
    """Name, a line, and the figures that matter."""
    reports, spec = content.reports, content.spec
    samples, size = sum(r.samples for r in reports), sum(r.bytes for r in reports)
    image = spec.recipe.image
    figures = [
        (f"{samples:,}", "faces" if samples == spec.count else f"of {spec.count:,} faces"),
        (f"{image.size}\N{MULTIPLICATION SIGN}{image.size}", f"pixels, {image.format}"),
        (str(spec.layout.width), "parameters each"),
        (bytes_text(size), f"in {len(reports):,} shards"),
        (f"{size / samples / 1000:,.1f} kB", "a sample"),
        (f"{np.median(speeds(reports)):,.0f}", "images/s a worker"),
    ]
    tiles = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in figures)
    about = f"{spec.recipe.name} · {spec.model.name} · seed {spec.seed} · {size_category(samples)}"
    return (
        f"<header><h1>{escape(name_of(content))}</h1><p>{escape(about)}</p>"
        f'<div class="tiles">{tiles}</div></header>'
    )


def sheet(content: Facts) -> str:
    """Faces spread over the data set."""
    data = base64.b64encode(content.gathered.sheet).decode()
    return f'<img class="sheet" alt="faces" src="data:image/jpeg;base64,{data}">'


def parameters(content: Facts) -> str:
    """Every panel, and all dimensions at once."""
    cards = "".join(parameter_card(panel) for panel in content.panels)
    return f'<div class="grid">{cards}</div>{dimensions(content)}'


def parameter_card(panel: Panel) -> str:
    """One distribution: seen and stated."""
    chart = charts.histogram(panel.values, panel.stated, panel.factor)
    mean, sd = (number(panel.factor * value) for value in (panel.values.mean(), panel.values.std()))
    if panel.stated is None:
        return card(panel.name, chart, f"mean {mean}, sd {sd} {panel.unit}")
    stated = [number(panel.factor * value) for value in (panel.stated.mean, panel.stated.sd)]
    measured = f"mean {mean} (stated {stated[0]}), sd {sd} ({stated[1]})"
    return card(
        panel.name,
        chart,
        f"{distribution_text(panel.stated, panel.factor)} {panel.unit}",
        measured,
    )


def dimensions(content: Facts) -> str:
    """Each dimension's mean against the stated one."""
    if content.errors is None:
        return ""
    layout = content.spec.layout
    starts = {g.name: layout.slices[g.name].start for g in layout.groups if g.width}
    limit = max(STATED_SPREAD, float(np.abs(content.errors).max()))
    outside = int((np.abs(content.errors) > 3).sum())
    caption = (
        f"{outside} of {layout.width} outside the band of \N{PLUS-MINUS SIGN}3 standard errors"
    )
    title = "Mean of every dimension, in standard errors from the stated one"
    return card(title, charts.dots(content.errors, limit, starts), caption, wide=True)


def coverage(content: Facts) -> str:
    """Pose, light, skin and brightness."""
    cards = [
        pose_card(content),
        *light_cards(content),
        *skin_cards(content),
        brightness_card(content),
    ]
    return f'<div class="grid">{"".join(cards)}</div>'


def pose_card(content: Facts) -> str:
    """Yaw against pitch."""
    yaw, pitch = pose(content)
    reach = max(np.abs(yaw).max(), np.abs(pitch).max(), 1.0)
    cells = charts.heat_map(yaw, pitch, (-reach, reach, -reach, reach), cells_for(len(yaw)))
    caption = (f"\N{MINUS SIGN}{reach:.0f}°", f"{reach:.0f}°", "yaw", "pitch")
    chart = charts.square(cells + charts.frame(), caption)
    return card("Pose", chart, "yaw turns to the image's right, positive pitch looks down")


def cells_for(points: int) -> int:
    """Cells a side, so that each has a few points."""
    return int(np.clip(np.sqrt(points / 6), *CELLS))


def light_cards(content: Facts) -> list[str]:
    """Where light comes from, and how bright it is."""
    x, y, brightness = light(content)
    cells = charts.heat_map(x, y, (-1, 1, -1, 1), cells_for(len(x)))
    caption = ("left", "right", "below", "")
    where = charts.square(cells + charts.disc(), caption)
    note = "centre: from the camera; ring: from the side; rim: from behind; equal area"
    return [
        card("Direction of light", where, note),
        card("Brightness of light", charts.histogram(brightness), "irradiance, mean of directions"),
    ]


def skin_cards(content: Facts) -> list[str]:
    """Skin tones by class, and their angle."""
    if content.tones is None:
        return []
    rows = "".join(
        f"<tr><td><i style='background:{css_colour(colour)}'></i>{name}</td><td>{share:.1%}</td>"
        f"<td class='meter'><b style='width:{100 * share:.1f}%'></b></td></tr>"
        for name, share, colour in content.tones.by_class()
    )
    count = len(content.tones.angles)
    source = f"of the reflectance over skin, before light; {count:,} faces"
    angles = charts.histogram(content.tones.angles)
    return [
        card("Skin tone", f"<table class='tones'>{rows}</table>", source),
        card("Individual typology angle", angles, "degrees; large is light, small is dark"),
    ]


def brightness_card(content: Facts) -> str:
    """How bright the images are."""
    values = content.gathered.brightness
    caption = f"mean luma of {len(values):,} images, 0 to 255; mean {values.mean():.0f}"
    return card("Brightness of images", charts.histogram(values), caption)


def making(content: Facts) -> str:
    """Throughput and size by shard, and where the time went."""
    reports = spread(content.reports, COLUMNS)
    sizes = np.array([r.bytes / r.samples / 1000 for r in reports])
    stages = stage_shares(content.reports)
    bar = charts.share_bar([(stage, share) for stage, _, share in stages])
    legend = "".join(
        f'<li><i class="part{k}"></i>{stage}<b>{ms:.2f} ms</b></li>'
        for k, (stage, ms, _) in enumerate(stages)
    )
    cards = [
        card("Images/s of a worker", charts.columns(speeds(reports), "images/s"), "by shard"),
        card("kB a sample", charts.columns(sizes, "kB"), "by shard"),
        card("Time an image", f'{bar}<ul class="legend">{legend}</ul>', "in its worker, by stage"),
    ]
    return f'<div class="grid">{"".join(cards)}</div>'


def facts_table(content: Facts) -> str:
    """Devices, versions, hashes."""
    spec, index = content.spec, content.index
    splits = ", ".join(f"{name} {count:,}" for name, count in index.splits.items())
    versions = ", ".join(f"{name} {number}" for name, number in index.versions.items())
    rows = {
        "Splits": splits,
        "Members": ", ".join([spec.recipe.image.format, "theta.npy", "json", *sorted(spec.layers)]),
        "Layout": ", ".join(f"{name} {width}" for name, width in spec.layout.to_json()),
        "Devices": ", ".join(sorted({in_short(report.device) for report in content.reports})),
        "Versions": versions,
        "Model": f"{spec.model.name}, sha256 {spec.model.sha256}",
        "Recipe": f"{spec.recipe.name}, sha256 {spec.recipe.fingerprint}",
        "Fingerprint": spec.fingerprint,
        "Backgrounds": spec.backgrounds.fingerprint
        if spec.backgrounds
        else spec.recipe.background.kind,
        "Estimates": spec.estimates.sha256 if spec.estimates else "none: drawn from a prior",
        "This page": f"facegen {__version__}; labels of {len(content.gathered.theta):,} samples",
    }
    body = "".join(
        f"<tr><th>{key}</th><td>{escape(value)}</td></tr>" for key, value in rows.items()
    )
    return f'<div class="card wide"><table class="facts">{body}</table></div>'


def shard_table(content: Facts) -> str:
    """The shards with their hashes, folded away."""
    rows = "".join(
        f"<tr><td>{r.name}</td><td>{r.samples:,}</td><td>{r.bytes:,}</td><td>{r.sha256}</td></tr>"
        for r in content.reports[:LISTED]
    )
    more = len(content.reports) - LISTED
    note = f"<p>and {more:,} more in dataset.json</p>" if more > 0 else ""
    head = "<tr><th>shard</th><th>samples</th><th>bytes</th><th>sha256</th></tr>"
    return (
        f'<details class="card wide"><summary>{len(content.reports):,} shards</summary>'
        f'<table class="shards">{head}{rows}</table>{note}</details>'
    )


def section(title: str, content: str, caption: str = "") -> str:
    """A part of the page."""
    about = f"<p>{caption}</p>" if caption else ""
    return f"<section><h2>{title}</h2>{about}{content}</section>"


def card(title: str, content: str, caption: str, more: str = "", wide: bool = False) -> str:
    """A chart with its title and what it says."""
    second = f"<br>{escape(more)}" if more else ""
    kind = "card wide" if wide else "card"
    return (
        f'<figure class="{kind}"><h3>{escape(title)}</h3>{content}'
        f"<figcaption>{escape(caption)}{second}</figcaption></figure>"
    )


def distribution_text(distribution: Distribution, factor: float) -> str:
    """A distribution in words."""
    if isinstance(distribution, Constant):
        return f"constant {number(distribution.value * factor)}"
    if isinstance(distribution, Uniform):
        return (
            f"uniform {number(distribution.low * factor)} to {number(distribution.high * factor)}"
        )
    if isinstance(distribution, Normal):
        mean, sd = number(distribution.mean * factor), number(distribution.sd * factor)
        return f"normal {mean} \N{PLUS-MINUS SIGN} {sd}"
    if not isinstance(distribution, Mixture):
        return "as stated attributes make it"
    parts = zip(distribution.weights, distribution.components, strict=True)
    return " + ".join(f"{weight:g} ({distribution_text(c, factor)})" for weight, c in parts)


def number(value: float) -> str:
    """A number; what is next to nothing is nothing."""
    return charts.number(0.0 if abs(value) < 5e-4 else float(value))


def css_colour(colour: charts.Float64) -> str:
    """A colour (3,) in [0, 1] as CSS says it."""
    red, green, blue = (round(255 * float(c)) for c in colour)
    return f"rgb({red} {green} {blue})"


def bytes_text(size: int) -> str:
    """A size in the unit that suits it."""
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.3g} {unit}"
    return f"{size / 1e3:,.3g} kB"
