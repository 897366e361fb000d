"""Foreign model files, each format read into one ForeignModel and completed to a MorphableModel.

A new format is one file here with a function that returns a ForeignModel, and its entry in
`importing`.

foreign    what a foreign file holds, checked
surface    normals of a mesh, and which side is outside
fit        the generic head fitted to another mean head
filled     a foreign model with nothing missing
complete   what a foreign model lacks: place, winding, landmarks, segmentation, skin
pickles    pickles read without running them
tables     .npz, .mat and pickle files as tables of arrays
landmarks  landmarks: published ones, and a user's file
statismo   Basel 2017 and 2019, scalismo-faces (HDF5)
matlab     Basel 2009, face3d, Deep3DFaceRecon, LSFM, LYHM (MATLAB)
flame      FLAME (pickle, npz)
gnm        GNM (npz)
eos        eos (JSON, HDF5): Surrey
polygons   polygons of a mesh file as triangles
obj        OBJ text
ply        PLY, text and bytes
mesh       OBJ and PLY as models
ict        ICT-FaceKit (a folder of OBJ)
importing  which reader a file needs; read, complete, write
"""
