"""Models written in the exact layout of a Basel file with facegen's attributes."""

import json

import h5py
import numpy as np

UNIT = np.sqrt(3) / 12


def write(path, model, expression_unit=UNIT):
    """Write a morphable model -> path."""
    with h5py.File(path, "w") as file:
        linear(file, "shape", model.shape)
        linear(file, "expression", model.expression, expression_unit)
        linear(file, "color", model.reflectance)
        file["shape/representer/points"] = model.shape.mean.T
        file["shape/representer/cells"] = model.triangles.T
        file["metadata/landmarks/json"] = json.dumps([])
        ours = file.create_group("facegen")
        ours["landmarks"], ours["parts"] = model.landmarks, model.parts
        ours.attrs["expression_unit"] = expression_unit
        ours.attrs["name"], ours.attrs["licence"] = model.name, "CC0-1.0"
    return path


def linear(file, part, model, unit=1.0):
    """One linear model: the basis's columns of length one, the variances apart."""
    sigma = model.sigma.astype(np.float64)
    file[f"{part}/model/mean"] = model.mean.reshape(-1)
    file[f"{part}/model/pcaBasis"] = (model.basis / sigma[:, None]).T
    file[f"{part}/model/pcaVariance"] = (sigma / unit) ** 2
    file[f"{part}/model/noiseVariance"] = np.zeros(1)
