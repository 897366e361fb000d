"""Ways to spoil a finished data set, most of them with reports and index that believe in it.

The data set holds 40 faces in 4 shards; it is always the second that is spoilt.
"""

import hashlib
import io
import json

import numpy as np
from msgspec.structs import asdict, replace

from facegen.dataset.encoding import encode_array
from facegen.dataset.report import ShardReport, read_report
from facegen.dataset.shards import open_shard, read_samples
from facegen.dataset.stores.opening import open_store


def rewrite(folder, shard, edit):
    """Edit a shard's samples {key: members}, and make report and index believe in it."""
    samples = dict(read_samples(folder / f"{shard}.tar"))
    samples = edit(samples) or samples
    store = open_store(str(folder))
    with open_shard(store, f"{shard}.tar") as writer:
        for key, members in samples.items():
            writer.write(key, members)
        writer.commit()
    believe(folder, shard)


def believe(folder, shard):
    """Make report and index believe in a shard as it lies there."""
    data = (folder / f"{shard}.tar").read_bytes()
    report = read_report(open_store(str(folder)), shard)
    sha256 = hashlib.sha256(data).hexdigest()
    write_report(folder, replace(report, bytes=len(data), sha256=sha256))


def write_report(folder, report: ShardReport):
    """A report that nobody can tell from a true one, in the index as well."""
    (folder / f"{report.name}.json").write_text(json.dumps(asdict(report)))
    index = json.loads((folder / "dataset.json").read_text())
    for entry in index["shards"]:
        if entry["name"] == report.name:
            entry |= {"bytes": report.bytes, "sha256": report.sha256}
    (folder / "dataset.json").write_text(json.dumps(index))


def edit_index(folder, edit):
    """Edit dataset.json."""
    index = json.loads((folder / "dataset.json").read_text())
    edit(index)
    (folder / "dataset.json").write_text(json.dumps(index))


def edit_label(samples, key, **changes):
    """Change what a sample's json says."""
    label = json.loads(samples[key]["json"]) | changes
    samples[key]["json"] = json.dumps(label, separators=(",", ":")).encode()


def edit_theta(samples, key, change):
    """Change a sample's theta."""
    theta = np.load(io.BytesIO(samples[key]["theta.npy"]))
    samples[key]["theta.npy"] = encode_array(change(theta))


SHARD = "train-000001"
KEY, OTHER = "0000000012", "0000000017"


def bit_flip(folder):
    path = folder / f"{SHARD}.tar"
    data = bytearray(path.read_bytes())
    data[data.index(b"\x89PNG") + 200] ^= 1
    path.write_bytes(data)


def truncation(folder):
    path = folder / f"{SHARD}.tar"
    path.write_bytes(path.read_bytes()[:-3000])


def grown(folder):
    with (folder / f"{SHARD}.tar").open("ab") as file:
        file.write(b"\0" * 512)


def swapped(suffix):
    def edit(samples):
        a, b = samples[KEY], samples[OTHER]
        a[suffix], b[suffix] = b[suffix], a[suffix]

    def corrupt(folder):
        rewrite(folder, SHARD, edit)

    corrupt.__name__ = f"swapped_{suffix}"
    return corrupt


def edited_theta(folder):
    rewrite(folder, SHARD, lambda s: edit_theta(s, KEY, lambda t: np.nextafter(t, np.float32(9))))


def nan_theta(folder):
    def spoil(theta):
        theta[3] = np.nan
        return theta

    rewrite(folder, SHARD, lambda s: edit_theta(s, KEY, spoil))


def short_theta(folder):
    rewrite(folder, SHARD, lambda s: edit_theta(s, KEY, lambda t: t[:-1]))


def edited_camera(folder):
    def edit(samples):
        K = json.loads(samples[KEY]["json"])["K"]
        K[0][0] *= 1.001
        edit_label(samples, KEY, K=K)

    rewrite(folder, SHARD, edit)


def nan_camera(folder):
    rewrite(folder, SHARD, lambda s: edit_label(s, KEY, K=[[float("nan")] * 3] * 3))


def another_identity(folder):
    rewrite(folder, SHARD, lambda s: edit_label(s, KEY, identity=3))


def broken_json(folder):
    rewrite(folder, SHARD, lambda s: s[KEY].update(json=b'{"index": [[['))


def spoilt_landmarks(folder):
    rewrite(folder, SHARD, lambda s: s[KEY].update({"landmarks.npy": b"\x93NUMPY"}))


def missing_member(folder):
    rewrite(folder, SHARD, lambda s: s[KEY].pop("mask.png") and None)


def surplus_member(folder):
    rewrite(folder, SHARD, lambda s: s[KEY].update(txt=b"a face"))


def missing_sample(folder):
    rewrite(folder, SHARD, lambda s: s.pop("0000000019") and None)


def other_order(folder):
    rewrite(folder, SHARD, lambda s: dict(reversed(s.items())))


def other_headers(folder):
    path = folder / f"{SHARD}.tar"
    data = bytearray(path.read_bytes())
    data[136:147] = b"14717773362"
    data[148:155] = b"%06o\0" % (sum(data[:148]) + 256 + sum(data[156:512]))
    path.write_bytes(data)
    report = read_report(open_store(str(folder)), SHARD)
    write_report(folder, replace(report, sha256=hashlib.sha256(data).hexdigest()))


def missing_tar(folder):
    (folder / f"{SHARD}.tar").unlink()


def missing_report(folder):
    (folder / f"{SHARD}.json").unlink()


def missing_shard(folder):
    missing_tar(folder)
    missing_report(folder)


def broken_report(folder):
    (folder / f"{SHARD}.json").write_text('{"name": "train-000001"')


def report_of_another(folder):
    report = read_report(open_store(str(folder)), "train-000002")
    (folder / f"{SHARD}.json").write_text(json.dumps(asdict(replace(report, name=SHARD))))


def stale_partial(folder):
    (folder / f"{SHARD}.tar.0badcafe.partial").write_bytes(b"half")


def unlisted(folder):
    edit_index(folder, lambda index: index["shards"].pop(1))


CORRUPTIONS = {
    bit_flip: "bytes",
    truncation: "bytes",
    grown: "bytes",
    swapped("theta.npy"): "theta",
    swapped("json"): "labels",
    edited_theta: "theta",
    nan_theta: "theta",
    short_theta: "theta",
    edited_camera: "labels",
    nan_camera: "labels",
    another_identity: "labels",
    broken_json: "labels",
    spoilt_landmarks: "labels",
    missing_member: "members",
    surplus_member: "members",
    missing_sample: "members",
    other_order: "members",
    other_headers: "members",
    missing_tar: "files",
    missing_report: "files",
    missing_shard: "files",
    broken_report: "files",
    report_of_another: "files",
    stale_partial: "files",
    unlisted: "index",
}
