"""Estimators whose answers are known."""

import numpy as np

from facegen.learning.estimators import Found


def oracle(truth):
    """An estimator that knows the truth by the image."""
    theta_of = {sample["png"].tobytes(): sample["theta.npy"] for sample in truth}
    return lambda images: Found(np.stack([theta_of[image.tobytes()] for image in images]))
