"""Indices -> Samples: everything that is drawn of a sample, for generation and verification alike.

randomness    uniforms that depend on seed, stream and index alone
estimates     estimates.h5, read and written
grid          the grid of a recipe in theta, and at which point of it a sample is
framing       camera distance, crop and background
people        attributes of people, drawn, and how they change coefficients
symmetry      expressions whose sides are mostly alike
prior         theta from the recipe's prior
perturbation  theta around estimates
samples       all of it together: Samples
"""
