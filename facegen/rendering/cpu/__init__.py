"""The CPU renderer: numba kernels on one core, a batch of faces a call.

compiling    how kernels are compiled, and where they are cached
memory       what kernels read and write; numeric types
lanes        blocks of triangles gathered into rows
raster       which triangle each pixel sees
shading      normals, light, and the layers
compositing  backgrounds behind faces
renderer     the Renderer
"""
