"""Which device a network runs on."""

import torch

from facegen.errors import DeviceError, UsageError


def device_of(name: str) -> torch.device:
    """auto (the first GPU, else the CPU), cpu, cuda or cuda:N."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"--device: unknown device {name!r}", "known: auto, cpu, cuda, cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"device {name}: PyTorch sees no such GPU", "use --device auto")
    return device
