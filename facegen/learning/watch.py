"""How a training goes: its mean loss and its speed."""

import math
import time

import torch
from torch import Tensor

from facegen.errors import FacegenError


class Watch:
    """The mean loss and the speed of training since it was started."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self.start()

    def start(self) -> None:
        self._losses: list[Tensor] = []
        self._started = time.perf_counter()

    def note(self, value: Tensor) -> None:
        self._losses.append(value)

    def read(self) -> dict[str, float]:
        mean = torch.stack(self._losses).mean().item()
        if not math.isfinite(mean):
            raise FacegenError("the loss is no longer finite", "lower --learning-rate")
        seconds = time.perf_counter() - self._started
        speed = len(self._losses) * self._batch / seconds
        return {"loss": mean, "images_per_second": speed}
