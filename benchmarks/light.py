"""How near the light of encoding "srgb" is to a path tracer's, on the same heads.

    pip install 'facegen[benchmarks]'
    python benchmarks/light.py --out light

Heads of the recipe "natural" that wear nothing, by facegen and by Mitsuba (the skin of
real_domain.py), with the same linear albedo, each under (a) the light that its nine harmonics mean,
less what is below zero, and (b) an environment that is held out, its suns as bright as they were.
Prints the mean absolute error of linear radiance inside the face: of plain Lambert, with occlusion,
and with highlights; the ratios are to plain Lambert's. "noise" is the tracer's share of the error.
Choose constants by the even heads and environments; the odd ones are for reporting.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from jaxtyping import Float32, Float64, UInt8
from PIL import Image
from real_domain_parts import render
from real_domain_parts.randomness import Stage, random_of
from real_domain_parts.subjects import Subject
from real_domain_parts.tones import to_display
from scipy.optimize import nnls

import facegen
from facegen.files import Array
from facegen.models import hdf5
from facegen.models.environments import BRIGHTEST, Environments, environments_path
from facegen.models.morphable_model import SEGMENTS
from facegen.recipe.attire import AttirePrior
from facegen.recipe.distributions import Constant
from facegen.recipe.recipe import Recipe
from facegen.rendering.contract import RenderSettings, Scene
from facegen.rendering.devices import open_renderer
from facegen.sampling.lights import BANDS, EXPOSED
from facegen.scene.lighting import CONSTANTS, LUMINANCE, basis

DISTANCE_MM = 700.0
KINDS = ("harmonics", "panorama")
STEPS = ("lambert", "occlusion", "highlights")
CLIPPED = 0.6  # Of the brightest that panoramas code: what may have been brighter.
# Means of the basis' squares over the sphere.
SQUARES = np.pi * np.array([1 / 4, *[1 / 9] * 3, *[1 / 64] * 5])
LAYERS = frozenset({"shading", "specular", "normal", "segmentation"})


@dataclass(frozen=True, eq=False)
class Case:
    """One head in one light: what the tracer saw (2, S, S, 3), twice, and what facegen has."""

    kind: str
    index: int
    traced: Float64[Array, "2 S S 3"]
    steps: dict[str, Float32[Array, "S S 3"]]
    segments: UInt8[Array, "S S"]

    @property
    def truth(self) -> Float64[Array, "S S 3"]:
        return np.asarray(self.traced.mean(axis=0))

    def error(self, step: str, segment: str | None) -> Float64[Array, "n"]:
        """The absolute errors of one step, of one segment or all."""
        return np.abs(self.steps[step] - self.truth)[self._inside(segment)].ravel()

    def noise(self, segment: str | None) -> Float64[Array, "n"]:
        """How far two means of the tracer's would differ, about."""
        return np.abs(self.traced[0] - self.traced[1])[self._inside(segment)].ravel() / 2

    def _inside(self, segment: str | None) -> Array:
        return self.segments > 0 if segment is None else self.segments == SEGMENTS.index(segment)


@click.command()
@click.option("--heads", default=8, show_default=True)
@click.option("--size", default=96, show_default=True)
@click.option("--samples", default=32, show_default=True, help="Paths per pixel, twice.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Images, and a cache.")
def main(heads: int, size: int, samples: int, out: Path) -> None:
    """Print how near the light is, of heads to choose by and of those to report."""
    out.mkdir(parents=True, exist_ok=True)
    found = list(cases(heads, size, samples, out))
    for case in found:
        show(case).save(out / f"{case.kind}-{case.index}.png")
    for name, odd in (("to choose by", 0), ("to report", 1)):
        for kind in KINDS:
            print(f"\n{kind}, {name}\n")
            table([case for case in found if case.kind == kind and case.index % 2 == odd])


def cases(heads: int, size: int, samples: int, out: Path) -> Iterator[Case]:
    """Every head in every light."""
    model = facegen.load_model("generic")
    drawn = facegen.sample(recipe_of(size), model, range(heads))
    held_out = read_held_out()
    tracer = render.Tracer(model, size, samples)
    renderer = open_renderer("cpu", model, RenderSettings(size, LAYERS, "srgb"))
    for index in range(heads):
        number = index % len(held_out)
        places = {
            "harmonics": sky_of(drawn.parameters.illumination[index]),
            "panorama": panorama_of(held_out, number) * gain_of(held_out.illumination[number]),
        }
        exposed = held_out.illumination[number] * gain_of(held_out.illumination[number])
        lights = {"harmonics": drawn.parameters.illumination[index], "panorama": exposed}
        for kind in KINDS:
            lit = replace(drawn.parameters[index : index + 1], illumination=lights[kind][None])
            subject = Subject(lit, drawn.cameras[index : index + 1])
            path = out / f"{kind}-{index}-{size}-{samples}.npy"
            if not path.exists():
                np.save(path, trace(tracer, subject, places[kind], index))
            frames = renderer.render(Scene(lit, subject.cameras))
            yield Case(kind, index, np.load(path), *drawn_steps(frames.layers, lights[kind]))


def trace(
    tracer: render.Tracer, subject: Subject, place: Float64[Array, "H W 3"], index: int
) -> Float64[Array, "2 S S 3"]:
    """What the path tracer sees, from two seeds."""
    skin = render.draw_skin(random_of(0, index, Stage.SKIN))
    return np.stack([tracer.head(subject, place, skin, seed) for seed in (0, 1)])


def drawn_steps(
    layers: dict[str, Array], light: Float64[Array, "9 3"]
) -> tuple[dict[str, Float32[Array, "S S 3"]], Array]:
    """What facegen's radiance is with more and more in it, and the segments."""
    shading, specular = layers["shading"][0].copy(), layers["specular"][0].copy()
    matte = layers["radiance"][0] - specular
    albedo = matte / np.maximum(shading, 1e-6)
    normal = layers["normal"][0] / 127.5 - 1
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    plain = albedo * np.maximum(basis(normal) @ light, 0)
    steps = dict(zip(STEPS, (plain, matte, matte + specular), strict=True))
    return steps, layers["segmentation"][0].copy()


def recipe_of(size: int) -> Recipe:
    """The recipe "natural" of people who wear nothing, before one camera."""
    recipe = facegen.load_recipe("natural")
    camera = replace(recipe.camera, distance=Constant(DISTANCE_MM), distortion=None)
    image = replace(recipe.image, size=size)
    return replace(recipe, attire=AttirePrior(), camera=camera, image=image)


def read_held_out() -> Environments:
    """The environments that are never drawn."""
    with hdf5.opened(environments_path(), ValueError) as file:
        kept = np.asarray(file["held_out"], bool)
        names = tuple(name.decode() for name in np.asarray(file["names"])[kept])
        light = np.asarray(file["illumination"], np.float64)[kept]
        return Environments(names, light, np.asarray(file["panoramas"])[kept], "")


def directions(height: int, width: int) -> Float64[Array, "H W 3"]:
    """The directions of a panorama's pixels in camera space; its middle looks along -z."""
    polar = (np.arange(height) + 0.5)[:, None] * np.pi / height
    azimuth = ((np.arange(width) + 0.5) * 2 / width - 1)[None, :] * np.pi
    x, z = np.sin(polar) * np.sin(azimuth), -np.sin(polar) * np.cos(azimuth)
    return np.stack(np.broadcast_arrays(x, np.cos(polar), z), axis=-1)


def for_tracer(radiance: Float64[Array, "H W 3"]) -> Float64[Array, "H W 3"]:
    """Mitsuba's environments have +z in the middle."""
    return np.roll(radiance, radiance.shape[1] // 2, axis=1)


def sky_of(light: Float32[Array, "9 3"]) -> Float64[Array, "H W 3"]:
    """The radiance that nine harmonics of irradiance mean, none below zero."""
    rows = basis(directions(64, 128)) * BANDS
    return for_tracer(np.maximum(rows @ np.asarray(light, np.float64), 0))


def panorama_of(environments: Environments, number: int) -> Float64[Array, "H W 3"]:
    """A whole environment; what coding took from its light goes back to its brightest places."""
    radiance = environments.radiance[number].astype(np.float64)
    rays = directions(*radiance.shape[:2])
    area = np.sqrt(1 - rays[..., 1] ** 2)
    area /= area.sum()
    seen = np.einsum("hwk,hwc->kc", harmonics_of(rays) * area[..., None], radiance)
    lost = environments.illumination[number] - seen
    bright = radiance.max(axis=-1) >= CLIPPED * BRIGHTEST
    for channel in range(3):
        added, _ = nnls(harmonics_of(rays[bright]).T, lost[:, channel])
        radiance[bright, channel] += added / area[bright]
    return for_tracer(radiance)


def harmonics_of(rays: Float64[Array, "*N 3"]) -> Float64[Array, "*N 9"]:
    """The nine harmonics, as in theta, of light from these directions, of mean radiance one."""
    return basis(rays).astype(np.float64) / (BANDS * SQUARES)


def gain_of(light: Float64[Array, "9 3"]) -> float:
    """What exposes a face well, as recipes do it."""
    front = light[0] * CONSTANTS[0] + 0.5 * light[2] * CONSTANTS[2]
    return float(EXPOSED / np.maximum(front @ LUMINANCE, 0.05))


def table(found: list[Case]) -> None:
    """Print errors and ratios, of all and by segment."""
    print("| region | share | lambert | occlusion | highlights | ratio | ratio | noise |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    total = sum(case.noise(None).size for case in found)
    for segment in (None, *SEGMENTS[1:]):
        errors = [np.concatenate([case.error(step, segment) for case in found]) for step in STEPS]
        if not errors[0].size:
            continue
        plain, occluded, all_in = (float(error.mean()) for error in errors)
        noise = float(np.concatenate([case.noise(segment) for case in found]).mean())
        shares = f"{errors[0].size / total:.3f} | {plain:.4f} | {occluded:.4f} | {all_in:.4f}"
        ratios = f"{occluded / plain:.2f} | {all_in / plain:.2f} | {noise / plain:.2f}"
        print(f"| {segment or 'all'} | {shares} | {ratios} |")


def show(case: Case) -> Image.Image:
    """The tracer's image, facegen's, and the difference about grey."""
    inside = (case.segments > 0)[..., None]
    mine = case.steps["highlights"]
    images = [to_display(np.clip(image * inside, 0, 1)) for image in (case.truth, mine)]
    images.append(np.clip(0.5 + 2 * (mine - case.truth) * inside, 0, 1))
    row = np.concatenate(images, axis=1)
    picture = Image.fromarray(np.round(255 * row).astype(np.uint8))
    return picture.resize((3 * picture.width, 3 * picture.height))


if __name__ == "__main__":
    main()
