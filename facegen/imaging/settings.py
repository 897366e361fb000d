"""Settings of photographs that change nothing."""

import numpy as np

from facegen.sampling.photography import Photography


def neutral(count: int) -> Photography:
    """Settings that change nothing: light from 0 to 1 is encoded as it is."""
    zeros, ones = np.zeros(count, np.float32), np.ones(count, np.float32)
    return Photography(
        exposure=zeros,
        white_balance=np.zeros((count, 2), np.float32),
        shoulder=ones,
        contrast=ones,
        saturation=ones,
        grey=np.zeros(count, np.bool_),
        vignette=zeros,
        focus_blur=zeros,
        pixel_blur=zeros,
        motion_blur=np.zeros((count, 2), np.float32),
        shot_noise=zeros,
        read_noise=zeros,
        sharpening=zeros,
        downscale=ones,
        noise_seed=np.zeros(count, np.uint64),
        quality=np.full(count, 100, np.float32),
    )
