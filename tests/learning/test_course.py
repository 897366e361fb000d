"""The small network: its shapes, its training from memory, and crops moved with their labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from specs import generated, spec_of

from facegen.errors import FacegenError, UsageError
from facegen.learning import course, heads, mirror, moves, muon
from facegen.learning.loss import ParameterLoss
from facegen.learning.memory import read_faces
from facegen.scene.cameras import rotation_matrix
from facegen.scene.lighting import irradiance

SHORT = course.Course(steps=6, batch=8, learning_rate=3e-3, moves=moves.Moves(0.05, 0.1, 5, 0.5))


@pytest.fixture(scope="module")
def faces(ellipsoid_file, tmp_path_factory):
    """24 small faces in memory."""
    out = tmp_path_factory.mktemp("memory") / "faces"
    generated(spec_of(ellipsoid_file, out, {"image": {"size": 32}}, count=24, layers="landmarks2d"))
    return read_faces(out)


def network_of(faces, landmarks="direct", seed=0):
    """A narrow network for these faces."""
    torch.manual_seed(seed)
    width = faces.theta.shape[1]
    config = heads.SmallConfig(width, faces.images.shape[1], width=4, landmarks=landmarks)
    mean, sd = faces.theta.mean(axis=0), faces.theta.std(axis=0) + 0.1
    return heads.SmallNet(config, course.standard_of(faces, mean, sd))


def run_of(faces, how=SHORT, augment=None, landmarks="direct"):
    """A fresh run."""
    return course.Run(how, network_of(faces, landmarks), ParameterLoss(), faces, augment)


def weights(run):
    """All that a run's network holds, in one vector."""
    return torch.cat([value.double().flatten() for value in run.network.state_dict().values()])


def test_faces_are_read_with_their_landmarks_in_shares(faces):
    assert faces.images.shape == (24, 32, 32, 3)
    assert faces.images.dtype == np.uint8
    assert faces.landmarks.shape == (24, 68, 2)
    assert 0 < faces.landmarks.min() < faces.landmarks.max() < 1
    assert faces.known.all()


def test_a_data_set_without_the_layer_is_refused(spec):
    with pytest.raises(FacegenError, match="landmarks2d"):
        read_faces(spec.out)


@pytest.mark.parametrize("landmarks", heads.LANDMARK_HEADS)
@pytest.mark.parametrize("size", [32, 64, 96])
def test_the_network_answers_theta_and_landmarks(faces, landmarks, size):
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), np.uint8)
    network = network_of(faces, landmarks)
    theta, points = heads.estimate_faces(network, images, batch=2)
    assert theta.shape == (3, faces.theta.shape[1])
    assert points.shape == (3, 68, 2)
    np.testing.assert_allclose(theta, np.tile(network.mean, (3, 1)), atol=0.3)
    assert np.abs(points - 0.5).max() < 0.5


def test_the_mean_place_of_a_sharp_map_is_its_cell():
    maps = torch.zeros(1, 1, 4, 8)
    maps[0, 0, 1, 6] = 50
    np.testing.assert_allclose(heads.mean_place(maps)[0, 0], [6.5 / 8, 1.5 / 4], atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        heads.SmallConfig(10, size=60),
        heads.SmallConfig(0),
        heads.SmallConfig(10, landmarks="many"),
    ],
)
def test_what_cannot_be_built_is_refused(config):
    with pytest.raises(UsageError):
        heads.check(config)


@pytest.mark.parametrize("landmarks", heads.LANDMARK_HEADS)
def test_a_few_steps_lower_the_loss(faces, landmarks):
    how = replace(SHORT, steps=30, batch=24, moves=moves.Moves(), warm_up=0.1)
    run = run_of(faces, how, landmarks=landmarks)
    losses = [run.learn() for _ in range(how.steps)]
    assert np.mean(losses[-5:]) < 0.8 * losses[0]


def test_an_interrupted_training_ends_with_the_same_weights(faces, tmp_path):
    straight = run_of(faces)
    course.train(straight, tmp_path / "straight.pt", str)
    cut = run_of(faces)
    for _ in range(3):
        cut.learn()
    cut.save(tmp_path / "cut.pt")
    later = run_of(faces)
    course.train(later, tmp_path / "cut.pt", str)
    assert later.step == SHORT.steps
    assert torch.equal(weights(straight), weights(later))
    done = run_of(faces)
    course.train(done, tmp_path / "cut.pt", str)
    assert torch.equal(weights(done), weights(later))


def test_a_file_of_another_course_is_refused(faces, tmp_path):
    run_of(faces).save(tmp_path / "net.pt")
    other = run_of(faces, replace(SHORT, seed=1))
    with pytest.raises(FacegenError, match="other settings"):
        other.resume(tmp_path / "net.pt")


def test_images_are_augmented_with_the_seed_and_the_step(faces):
    seen = []

    def darken(images, seed, step):
        images //= 2
        seen.append((seed, step))

    before = faces.images.copy()
    run = run_of(faces, replace(SHORT, seed=7), darken)
    run.learn()
    run.learn()
    assert seen == [(7, 0), (7, 1)]
    assert (faces.images == before).all()


def test_an_epoch_takes_every_face_once():
    how = replace(SHORT, batch=8)
    rows = np.concatenate([course.rows_of(20, how, step) for step in range(5)])
    assert (np.sort(rows[:20]) == np.arange(20)).all()
    assert (np.sort(rows[20:]) == np.arange(20)).all()
    assert (rows[:20] != rows[20:]).any()


def test_the_learning_rate_rises_once_and_falls():
    rates = [course.share_of_rate(replace(SHORT, steps=100), step) for step in range(100)]
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(1)
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert rates[-1] < 1 / 100


def test_both_optimisers_follow_the_rate(faces):
    run = run_of(faces)
    parameters = sum(len(g["params"]) for o in run.optimisers for g in o.param_groups)
    assert parameters == len(list(run.network.parameters()))
    run.learn()
    share = course.share_of_rate(SHORT, 0)
    rates = [group["lr"] for one in run.optimisers for group in one.param_groups]
    highest = [SHORT.block_rate, SHORT.learning_rate, SHORT.learning_rate]
    assert rates == pytest.approx([share * rate for rate in highest])


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (6, 6)])
def test_a_matrix_is_made_nearly_orthogonal(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    matrix *= torch.linspace(1, 0.1, shape[1])
    made = muon.orthogonal(matrix)
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.6
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ made @ right.T
    assert abs(inner - torch.diag(torch.diag(inner))).max() < 0.02
    assert torch.diag(inner).min() > 0.6


def test_muon_moves_by_its_rate_whatever_the_gradient():
    for scale in (1e-3, 1e3):
        weight = torch.nn.Parameter(torch.zeros(4, 3, 3, 3))
        gradient = torch.randn(4, 27, generator=torch.Generator().manual_seed(2))
        weight.grad = scale * gradient.reshape(4, 3, 3, 3)
        muon.Muon([weight], lr=0.5).step()
        moved = torch.linalg.svdvals(weight.detach().flatten(1))
        assert moved.min() > 0.3
        assert moved.max() < 0.65


def moved_by(gradients, start=None, **options):
    """Where a weight is after steps with these gradients."""
    weight = torch.nn.Parameter(torch.zeros(3, 5) if start is None else start.clone())
    optimiser = muon.Muon([weight], lr=0.1, **options)
    for gradient in gradients:
        weight.grad = gradient
        optimiser.step()
    return weight.detach()


def test_muon_takes_earlier_gradients_along():
    first, second = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(4))
    ahead = second + 0.5 * (0.5 * first + second)
    expected = -0.1 * (muon.orthogonal(1.5 * first) + muon.orthogonal(ahead))
    torch.testing.assert_close(moved_by([first, second], momentum=0.5), expected)


def test_muon_lets_weights_decay():
    gradient, start = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(5))
    plain = moved_by([gradient], start)
    decayed = moved_by([gradient], start, weight_decay=2.0)
    torch.testing.assert_close(plain - decayed, 0.2 * start)


def drawn(shift=(0, 0), zoom=1.0, turn=0.0, mirrored=False):
    """One move, stated."""
    return moves.Drawn(
        np.array([shift], float), np.array([zoom]), np.radians([turn]), np.array([mirrored])
    )


def dotted(point, size=33):
    """A black image with a soft white dot at a place in shares of its side."""
    v, u = (np.mgrid[:size, :size] + 0.5) / size
    dot = 255 * np.exp(-((u - point[0]) ** 2 + (v - point[1]) ** 2) / 0.01)
    return np.repeat(dot[None, :, :, None], 3, axis=3).astype(np.uint8)


@pytest.mark.parametrize(
    "move",
    [
        drawn(shift=(0.1, -0.05)),
        drawn(zoom=1.3),
        drawn(turn=20),
        drawn(mirrored=True),
        drawn((0.05, 0.1), 0.8, -15, True),
    ],
)
def test_landmarks_move_as_the_pixels_do(faces, move):
    place = np.array([0.6, 0.35])
    face = replace(
        faces.take(np.array([0])),
        images=dotted(place),
        landmarks=np.tile(place, (1, 68, 1)).astype(np.float32),
    )
    after = moves.moved(face, move)
    light = after.images[0, :, :, 0].astype(float)
    v, u = (np.mgrid[:33, :33] + 0.5) / 33
    centre = [(light * u).sum() / light.sum(), (light * v).sum() / light.sum()]
    np.testing.assert_allclose(after.landmarks[0, 0], centre, atol=0.01)


def test_theta_moves_as_the_head_does(faces):
    face = faces.take(np.array([0, 1]))
    move = moves.Drawn(np.zeros((2, 2)), np.ones(2), np.radians([10, -10]), np.array([False, True]))
    before, after = (face.layout.unpack(f.theta) for f in (face, moves.moved(face, move)))
    for row, flip in ((0, 1), (1, -1)):
        mirror = np.diag([flip, 1, 1])
        spin = rotation_matrix(np.array([0, 0, move.turn[row]]))
        head = spin @ mirror @ rotation_matrix(before.rotation[row]) @ mirror
        np.testing.assert_allclose(rotation_matrix(after.rotation[row]), head, atol=1e-5)
        normals = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        seen = (normals @ mirror @ spin.T).astype(np.float32)
        lit = irradiance(normals, before.illumination[row])
        np.testing.assert_allclose(irradiance(seen, after.illumination[row]), lit, atol=1e-5)
    known = moves.moved(face, move).known
    assert known[0].all()
    assert not known[1, face.layout.slices["shape"]].any()
    assert known[1, face.layout.slices["rotation"]].all()


def test_sides_are_swapped_in_pairs():
    order = mirror.MIRRORED
    assert (order[order] == np.arange(68)).all()
    assert [int(order[i]) for i in (0, 8, 17, 27, 36, 39, 41, 48, 51, 60)] == [
        *(16, 8, 26, 27, 45, 42, 46, 54, 51, 64)
    ]


def test_landmarks_found_are_those_of_an_image_and_its_mirror_image(faces):
    network = network_of(faces)
    torch.nn.init.normal_(network.landmarks.linear[-1].weight, std=0.1)
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    _, found = heads.estimate_faces(network, images)
    _, reflected = heads.estimate_faces(network, np.ascontiguousarray(images[:, :, ::-1]))
    np.testing.assert_allclose(mirror.mirrored(reflected), found, atol=1e-5)
    assert np.abs(found - network.landmarks.mean.numpy()).max() > 0.01
