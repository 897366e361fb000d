"""TOML -> Recipe: what is stated about the samples, as frozen dataclasses.

distributions  constant, uniform, normal, mixture: ppf, cdf and moments
tables         a TOML table read key by key, with "did you mean"
grid           equidistant values over identities
attire         what people wear beside the model: shares of samples
photograph     how photographs are taken: a distribution a setting
image          how images are stored, and what their pixels are
background     what stands behind heads
face_units     expressions as a few named units
light          where illumination comes from
groups         the tables of theta's groups: one distribution a component
merging        one recipe over another
recipe         the whole recipe, and its fingerprint
loading        recipes of the package and of .toml files; extends
plan           which sample belongs to which split, identity and shard
"""
