"""The sizes of a model's heads beside those published of people, sex by sex.

Heads of N(0, 1) are measured between the anthropometric points that the model holds. A head is a
woman's or a man's by the sign of its gender, as its shape lets expect it; doubtful ones are left
out.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import facegen

sys.path.insert(0, str(Path(__file__).parent.parent / "morphable_models"))

from generic_build.anthropometry import MEASURES, PINNED, compacted, measures, table

DOUBTFUL = 0.3  # Standard deviations of the gender that is read from shape.
MEAN_LIMIT, SD_LIMITS = 0.5, (0.7, 1.4)
PART = 1000


def lengths(model: facegen.MorphableModel, coefficients: np.ndarray) -> tuple[np.ndarray, list]:
    """The measures (n, M) of heads with these coefficients of shape, and the rulers."""
    mean = model.shape.mean.astype(np.float64)
    rulers = measures(dict(model.points), dict(model.tapes), mean)[: len(MEASURES) - len(PINNED)]
    used, small = compacted(rulers, model.vertices)
    heads = model.shape.at(used.astype(np.int32))
    values = []
    for start in range(0, len(coefficients), PART):
        points = heads.evaluate(coefficients[start : start + PART]).astype(np.float64)
        values.append(np.column_stack([ruler.of(points) for ruler in small]))
    return np.concatenate(values), rulers


def misses(values: np.ndarray, rulers: list, groups: tuple[np.ndarray, np.ndarray]) -> list[str]:
    """Means and deviations that are not as near to the published ones as they should be."""
    found = []
    for column, ruler in zip(values.T, rulers, strict=True):
        for sex, members, published in zip(("women", "men"), groups, ruler.published, strict=True):
            if published is None:
                continue
            off = (column[members].mean() - published[0]) / published[1]
            ratio = column[members].std() / published[1]
            if abs(off) > MEAN_LIMIT or not SD_LIMITS[0] <= ratio <= SD_LIMITS[1]:
                found.append(f"{ruler.name}, {sex}: mean {off:+.2f} sd, sd {ratio:.2f} times")
    return found


def main() -> None:
    """Measure heads and print the table, and what misses it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="generic")
    parser.add_argument("--count", type=int, default=20_000)
    arguments = parser.parse_args()
    model = facegen.load_model(arguments.model)
    if model.attributes is None:
        parser.error(f"--model {arguments.model}: a model without attributes tells no sexes")
    draws = np.random.default_rng(0).standard_normal((arguments.count, model.shape.components))
    coefficients = draws.astype(np.float32)
    gender = model.attributes.read("shape", coefficients)[:, model.attributes.names.index("gender")]
    doubt = DOUBTFUL * gender.std()
    women, men = gender < gender.mean() - doubt, gender > gender.mean() + doubt
    values, rulers = lengths(model, coefficients)
    print(table(values, rulers, men, women))
    missed = misses(values, rulers, (women, men))
    print(f"\n{women.sum():,} women, {men.sum():,} men; missed: {len(missed)}")
    print("\n".join(missed))


if __name__ == "__main__":
    main()
