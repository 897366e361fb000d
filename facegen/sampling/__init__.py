"""Indices -> Samples: everything that is drawn of a sample, for generation and verification alike.

randomness    uniforms that depend on seed, stream and index alone
estimates     estimates.h5, read and written
grid          the grid of a recipe in theta, and at which point of it a sample is
lights        natural light as theta has it
contour       landmarks of the contour, where people mark them
scenery       what stands behind heads in photographs
framing       camera distance, crop and background
people        attributes of people, drawn, and how they change coefficients
symmetry      expressions whose sides are mostly alike
expressions   a few named units of the face
prior         theta from the recipe's prior
perturbation  theta around estimates
persona       who a sample shows: gender, age, skin
colours       of hair, cloth, frames and things
attire        what people wear
photography   how photographs are taken
samples       all of it together: Samples
"""
