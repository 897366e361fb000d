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
        own = file.create_group("facegen")
        own["landmarks"], own["parts"] = model.landmarks, model.segmentation
        own.attrs["expression_unit"] = expression_unit
        own.attrs["name"], own.attrs["licence"] = model.name, "CC0-1.0"
    return path


def linear(file, part, model, unit=1.0):
    """One linear model: the basis's columns of length one, the variances apart."""
    component_scale = model.component_scale.astype(np.float64)
    file[f"{part}/model/mean"] = model.mean.reshape(-1)
    file[f"{part}/model/pcaBasis"] = (model.basis / component_scale[:, None]).T
    file[f"{part}/model/pcaVariance"] = (component_scale / unit) ** 2
    file[f"{part}/model/noiseVariance"] = np.zeros(1)
