"""The morphable model: evaluated, described, and read from its own file or from foreign ones.

attributes       what gender, age, ... say of the coefficients
contour          where the face's edge may lie on a turned head
morphable_model  mean + basis . coefficients, for a batch
hdf5             numbers and texts of HDF5 files of others, of bounded size
extras           what a file may hold beyond the Basel layout: names, points, attributes
model_file       the HDF5 file of a model, read and written
cache            a model mapped into memory once for all processes
catalogue        models by name: of the package, and imported
attire           what people wear: pieces of the package, as meshes
wardrobe         those pieces fitted to a model
environments     places of the package: their light, and pictures of them
importers/       one file a foreign format; what a model lacks is filled in
describe         what a model holds, and what looks wrong
gltf             a mesh as binary glTF
export           one face as obj, ply or glb
"""
