"""The morphable model: evaluated, described, and read from its own file or from foreign ones.

morphable_model  mean + basis . coefficients, for a batch
hdf5             numbers and texts of HDF5 files of others, of bounded size
model_file       the HDF5 file of a model, read and written
cache            a model mapped into memory once for all processes
catalogue        models by name: of the package, and imported
importers/       one file a foreign format; what a model lacks is filled in
describe         what a model holds, and what looks wrong
"""
