"""What fuzzing needs: readers of a user's files, in a process of their own.

A crash, a hang or a hunger for memory ends that process alone, and is an outcome like any other.
"""

import io
import multiprocessing
import os
import resource
import tarfile
import traceback
import warnings
from collections import Counter, defaultdict
from contextlib import suppress
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from hypothesis import HealthCheck, Phase, settings

from facegen import open_dataset
from facegen.dataset import encoding, shards
from facegen.dataset.index import open_spec
from facegen.dataset.labels import decode_label
from facegen.dataset.report import read_report
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.dataset.streaming import stream_samples
from facegen.errors import DatasetError, FacegenError
from facegen.inspection import page, report, verify
from facegen.models import catalogue, model_file
from facegen.models.importers import importing, landmarks
from facegen.models.model_file import checked_sha256
from facegen.recipe.loading import load
from facegen.recipe.plan import splits_of
from facegen.sampling import estimates
from facegen.sampling.framing import check_camera, draw_cameras, draw_colours
from facegen.sampling.prior import source_of
from facegen.scene.parameters import layout_of

FUZZ = int(os.environ.get("FACEGEN_FUZZ", "0"))
SECONDS, SECONDS_TO_START = 20, 120
MEMORY, PEAK_KB = 12 << 30, 2 << 20
LIBHDF5, DIED = "crashes of libhdf5 itself", "the process died"
MEMBERS = ("png", "theta.npy", "json", "")


def fuzz(few):
    """So many inputs, always the same; in the long form FACEGEN_FUZZ new ones."""
    return settings(
        max_examples=FUZZ or few,
        derandomize=not FUZZ,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=list(HealthCheck),
    )


def sampled(path):
    """A recipe that is read is refused, or gives finite theta, cameras and colours."""
    recipe = load(str(path))
    if recipe.model != "generic":
        checked_sha256(catalogue.find(recipe.model))
    check_camera(recipe)
    identities = recipe.identities
    count = min(identities.total, 9) if identities else 9
    splits_of(recipe, count)
    source, indices = source_of(recipe, layout_of(5, 4, 3)), np.arange(count)
    distance, crop = draw_cameras(recipe, 1, indices)
    colours = draw_colours(recipe.background, 1, indices, 3)
    for draws in (source.theta(1, indices), distance, crop.scale, crop.shift, colours):
        assert np.isfinite(draws).all()


def landmarks_of(path):
    """Landmarks for a mesh of a hundred vertices."""
    landmarks.read(path, np.eye(100, 3, dtype=np.float32), np.zeros((9, 3), np.int32))


def points(path):
    """The landmarks or boxes that `facegen estimate` takes."""
    from facegen.learning.points import read_points

    read_points(path)


def image(path):
    """A photograph on its way into a network."""
    from facegen.learning.faces import Cropping, faces_in
    from facegen.learning.frames import Framing

    faces_in("key", path.read_bytes(), Cropping("whole", Framing(32, 1.2, 0.0)))


def image_list(path):
    """A list of photographs."""
    from facegen.learning import images

    list(images.find_images([path], str))


def members(path):
    """A member of a sample, decoded as each of the kinds that there are."""
    data = path.read_bytes()
    array = partial(encoding.decode_array, shape=(350,))
    decoders = [codec.decode for codec in encoding.CODECS.values()]
    for decode in (*decoders, array, decode_label, encoding.decode_image):
        with suppress(DatasetError):
            decode(data)


def data_set(path):
    """A data set of a stranger's: verified, shown and read."""
    store, local = open_store(str(path)), DatasetSpec(device="cpu", workers=1)
    spec = open_spec(store, local)
    verify.verify(spec, store, None, str)
    with suppress(FacegenError):
        page.page(report.gather(spec, store, spec.load_model()))
    for sample in open_dataset(path):
        with suppress(FacegenError):
            (sample.image, sample.vector, sample.camera, list(sample.layers.values()))


def checkpoint(path):
    """A network with its facts."""
    from facegen.learning import checkpoint

    checkpoint.load(path)


def h5py_alone(path):
    """All that h5py can read of a file: what dies here dies in libhdf5, beyond our mending."""
    with h5py.File(path) as file:
        nodes = [file]
        file.visititems(lambda name, node: nodes.append(node))
        for node in nodes:
            attributes = [partial(node.attrs.get, name) for name in node.attrs]
            for read in (*attributes, partial(value, node)):
                with suppress(Exception):
                    read()


def value(node):
    """A data set's values; a group has none."""
    return node[()] if isinstance(node, h5py.Dataset) else None


READERS = {
    "recipe": sampled,
    "estimates": estimates.read,
    "model": model_file.load,
    "foreign model": importing.read,
    "landmarks": landmarks_of,
    "tar": lambda path: list(shards.read_samples(path)),
    "streamed tar": lambda path: list(stream_samples([path], MEMBERS, None)),
    "shard report": lambda path: read_report(open_store(str(path.parent)), path.stem),
    "dataset.json": lambda path: open_spec(open_store(str(path.parent))),
    "points": points,
    "image": image,
    "image list": image_list,
    "member": members,
    "data set": data_set,
    "checkpoint": checkpoint,
    LIBHDF5: h5py_alone,
}


def outcome(read, *arguments):
    """'read', 'refused' for a FacegenError of one line, or what else came of it."""
    try:
        read(*arguments)
    except FacegenError as error:
        line = str(error)
        return "refused" if len(line.splitlines()) == 1 else f"not one line: {line!r}"
    except BaseException:
        return traceback.format_exc()
    return "read"


def peak_kb():
    """The most memory that this process has held; getrusage would tell of the one it came from."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def serve(pipe):
    """Read what is asked for, a warning being an error, until nobody asks."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import facegen.learning.faces  # noqa: F401

    warnings.simplefilter("error")
    pipe.send("ready")
    while True:
        name, path = pipe.recv()
        what = outcome(READERS[name], Path(path))
        peak = peak_kb()
        pipe.send(what if peak < PEAK_KB else f"took {peak >> 10:,} MB")


class Sandbox:
    """A process that reads files, replaced when it dies; and a count of what came of them."""

    def __init__(self, folder):
        self.folder = folder
        self.counts = defaultdict(Counter)
        self.process = self.pipe = None

    def check(self, reader, data, name="file"):
        """Bytes, or the file of that name, are read or refused in one line and in time."""
        path = self.folder / name
        if data is not None:
            path.write_bytes(data)
        outcome = self.ask(reader, path)
        if outcome == DIED and h5py.is_hdf5(path) and self.ask(LIBHDF5, path) == DIED:
            outcome = LIBHDF5
        self.note(reader, outcome)

    def note(self, reader, outcome):
        """Count what came of an input, and stop at what should not."""
        fine = outcome in ("read", "refused", LIBHDF5)
        self.counts[reader][outcome if fine else "failed"] += 1
        assert fine, outcome

    def ask(self, reader, path):
        """What came of reading the file in the other process."""
        if self.process is None:
            self.start()
        try:
            self.pipe.send((reader, str(path)))
            message = self.pipe.recv() if self.pipe.poll(SECONDS) else f"no end within {SECONDS} s"
            if message in ("read", "refused"):
                return message
        except (EOFError, OSError):
            message = DIED
        self.close()
        return message

    def start(self):
        """A fresh process, ready to read."""
        context = multiprocessing.get_context("spawn")
        self.pipe, reader_end = context.Pipe()
        self.process = context.Process(target=serve, args=(reader_end,), daemon=True)
        self.process.start()
        reader_end.close()
        assert self.pipe.poll(SECONDS_TO_START)
        assert self.pipe.recv() == "ready"

    def close(self):
        """End the process, whatever it is at."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
        self.process = None


def write_foreign_shard(path, form):
    """A shard with long names, as other programs pack it."""
    with tarfile.open(path, "w", format=form) as tar:
        for key in range(3):
            info = tarfile.TarInfo(f"{key:0110d}.png")
            info.size, info.mtime = 9, 1.5
            tar.addfile(info, io.BytesIO(b"one image"))


class Summary:
    """A line for each reader at the end of pytest's report."""

    def __init__(self, counts):
        self.counts = counts

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("fuzzing")
        for reader, outcomes in sorted(self.counts.items()):
            texts = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
            terminalreporter.line(f"{reader}: {sum(outcomes.values()):,} inputs: {texts}")
