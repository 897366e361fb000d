"""How the small network is trained: so many steps of Muon and AdamW over faces in memory."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional

from facegen.errors import FacegenError, located
from facegen.files import Array, make_folder, written_whole
from facegen.learning.heads import SmallNet, Standard
from facegen.learning.memory import LabelledFaces
from facegen.learning.moves import Moves, draw_moves, moved
from facegen.learning.muon import Muon
from facegen.learning.networks import NetworkError, fill, read_weights

# Changes images in place: a pure function of (images, seed, step).
Augment = Callable[[UInt8[Array, "B S S 3"], int, int], None]
Say = Callable[[str], None]

SAVED_EVERY_S = 60.0
TOLD_EVERY = 200
DIVIDED_AT_START, DIVIDED_AT_END = 25, 1000
_HINT = "use another file, or remove this one"


@dataclass(frozen=True)
class Course:
    """A training: steps of so many faces, and what decides them.

    The learning rates rise to `learning_rate` (AdamW) and `block_rate` (Muon, of the convolutions
    in residual blocks) over the share `warm_up` of the steps, and fall as a cosine (Smith & Topin,
    Super-Convergence, 2018). clip: the longest gradient. landmarks: their
    loss's weight beside theta's; knee: the error, in shares of the image's side, from which on
    smooth L1 is linear.
    """

    steps: int
    batch: int = 64
    learning_rate: float = 3e-3
    block_rate: float = 0.1
    weight_decay: float = 0.05
    warm_up: float = 0.15
    clip: float = 1.0
    landmarks: float = 4.0
    knee: float = 0.01
    moves: Moves = field(default_factory=Moves)
    seed: int = 0


def standard_of(
    faces: LabelledFaces, mean: Float32[Array, "m"], sd: Float32[Array, "m"]
) -> Standard:
    """What a network for these faces is standardised by; theta's mean and sd are the prior's."""
    spread = float(faces.landmarks.std(axis=0).mean())
    return Standard(mean, sd, faces.landmarks.mean(axis=0, dtype=np.float64), spread)


@dataclass(eq=False)
class Run:
    """A course in progress; `of_theta` is the loss of theta (N, m) and its truth."""

    course: Course
    network: SmallNet
    of_theta: nn.Module
    faces: LabelledFaces
    augment: Augment | None = None
    step: int = 0

    def __post_init__(self) -> None:
        self.optimisers = optimisers_of(self.network, self.course)
        self.of_theta = self.of_theta.to(self.network.mean.device)

    def learn(self) -> float:
        """One step -> the loss before it."""
        batch = batch_of(self.faces, self.course, self.step)
        if self.augment:
            self.augment(batch.images, self.course.seed, self.step)
        self.network.train()
        value = self.loss(batch)
        self.network.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.course.clip)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * share_of_rate(self.course, self.step)
            optimiser.step()
        self.step += 1
        return value.item()

    def loss(self, batch: LabelledFaces) -> Float32[Tensor, ""]:
        """The loss of theta, where it is known, and of the landmarks in their spreads."""
        device = self.network.mean.device
        truth, known, points = (
            torch.from_numpy(np.ascontiguousarray(a)).to(device)
            for a in (batch.theta, batch.known, batch.landmarks)
        )
        found = self.network(torch.from_numpy(batch.images).to(device))
        of_theta = self.of_theta(torch.where(known, found.theta, truth), truth)
        spread = self.network.spread
        gap, knee = (found.landmarks - points) / spread, self.course.knee / spread.item()
        of_landmarks = functional.smooth_l1_loss(gap, torch.zeros_like(gap), beta=knee)
        total: Tensor = of_theta + self.course.landmarks * of_landmarks
        return total

    def save(self, path: Path) -> None:
        """All of it in a file, whole or not at all."""
        content = {
            "course": described(self.course),
            "step": self.step,
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
        }
        with located(path):
            try:
                make_folder(path.parent)
                with written_whole(path) as temporary:
                    torch.save(content, temporary)
            except (OSError, RuntimeError) as error:  # torch's writer raises what the disk refuses
                message = getattr(error, "strerror", None) or str(error)
                raise FacegenError(message, "give a file to write to") from None

    def resume(self, path: Path) -> None:
        """Continue from a file that the same course wrote."""
        with located(path):
            content = read_weights(path, _HINT)
            if content.get("course") != described(self.course):
                raise NetworkError("was trained with other settings", _HINT)
            try:
                fill(self.network, content["network"])
                for optimiser, state in zip(self.optimisers, content["optimisers"], strict=True):
                    optimiser.load_state_dict(state)
                self.step = int(content["step"])
            except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
                raise NetworkError(f"cannot be continued: {error!r}", _HINT) from None


def train(run: Run, path: Path, tell: Say = print) -> None:
    """Take the steps that are missing; `path` is written now and then, and at the end."""
    if path.exists():
        run.resume(path)
        tell(f"{path.name}: continuing from step {run.step:,}")
    saved = began = time.monotonic()
    losses: list[float] = []
    while run.step < run.course.steps:
        losses.append(run.learn())
        if time.monotonic() - saved > SAVED_EVERY_S or run.step == run.course.steps:
            run.save(path)
            saved = time.monotonic()
        if run.step % TOLD_EVERY == 0 or run.step == run.course.steps:
            mean = checked(float(np.mean(losses)))
            speed = len(losses) * run.course.batch / (time.monotonic() - began)
            tell(f"{path.name}: step {run.step:,}, loss {mean:.4f}, {speed:.0f} images/s")
            losses, began = [], time.monotonic()


def checked(loss: float) -> float:
    """The loss, if it is a number."""
    if not math.isfinite(loss):
        raise FacegenError("the loss is no longer finite", "lower the learning rate")
    return loss


def described(course: Course) -> str:
    """What decides a course, as text."""
    return json.dumps(asdict(course), sort_keys=True)


def batch_of(faces: LabelledFaces, course: Course, step: int) -> LabelledFaces:
    """The faces of a step, moved: a pure function of (faces, course, step)."""
    batch = faces.take(rows_of(len(faces), course, step))
    drawn = draw_moves(course.moves, np.random.default_rng((course.seed, 1, step)), len(batch))
    return batch if course.moves == Moves() else moved(batch, drawn)


def rows_of(count: int, course: Course, step: int) -> Int64[Array, "B"]:
    """The rows of a step: every epoch shuffles all, and steps go on over its end."""
    places = step * course.batch + np.arange(course.batch)
    epochs = places // count
    rows = np.empty(course.batch, np.int64)
    for epoch in np.unique(epochs):
        order = np.random.default_rng((course.seed, 0, int(epoch))).permutation(count)
        rows[epochs == epoch] = order[places[epochs == epoch] % count]
    return rows


def share_of_rate(course: Course, step: int) -> float:
    """The learning rates of a step, as a share of the highest."""
    rising = max(1.0, course.warm_up * course.steps)
    ends, share = (
        (DIVIDED_AT_START, 1 - step / rising)
        if step < rising
        else (DIVIDED_AT_END, (step - rising) / max(1.0, course.steps - rising))
    )
    return 1 / ends + (1 - 1 / ends) * (1 + math.cos(math.pi * share)) / 2


def optimisers_of(network: SmallNet, course: Course) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the convolutions of residual blocks, AdamW for the rest.

    Biases and the scales of norms do not decay.
    """
    blocks = [p for p in network.trunk.stages.parameters() if p.ndim > 1]
    within = set(blocks)
    rest = [p for p in network.parameters() if p not in within]
    muon = Muon(blocks, course.block_rate, course.weight_decay)
    parameters: list[dict[str, Any]] = [
        {"params": [p for p in rest if p.ndim > 1]},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(parameters, course.learning_rate, weight_decay=course.weight_decay)
    for group in (*muon.param_groups, *adam.param_groups):
        group["initial_lr"] = group["lr"]
    return muon, adam
