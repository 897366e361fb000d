"""Shards as Ray tasks: a cluster of two nodes, one of them lost in the middle."""

import json
import threading
import time

import pytest
from specs import Heard, generated, spec_of

from facegen.dataset.stores.opening import open_store
from facegen.generation.engines.ray import RayEngine
from facegen.generation.run import run

ray = pytest.importorskip("ray", reason="Ray has no wheel for this Python")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def hashes(spec):
    store = open_store(spec.out)
    names = [name for name in store.names() if name.startswith("train") and name.endswith("json")]
    return {name: json.loads(store.read(name))["sha256"] for name in names}


def lose(cluster, out):
    """Take the second node away once the first shard is done."""
    while not list(out.glob("train-*.json")):
        time.sleep(0.05)
    cluster.remove_node(cluster.list_all_nodes[-1], allow_graceful=False)


def test_a_lost_node_loses_nothing(cluster, ellipsoid_file, tmp_path):
    fields = {"count": 120, "shard_size": 10}
    alone = generated(spec_of(ellipsoid_file, tmp_path / "alone", **fields))
    spec = spec_of(ellipsoid_file, tmp_path / "ray", **fields)
    out = tmp_path / "ray"
    thief = threading.Thread(target=lose, args=(cluster, out), daemon=True)
    thief.start()
    heard = Heard()
    summary = run(spec, RayEngine(cluster.address), heard)
    thief.join(30)
    assert not summary.failed
    assert heard.samples == 120
    assert hashes(spec) == hashes(alone)
