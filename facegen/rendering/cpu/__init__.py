"""The CPU renderer: numba kernels on one core, a batch of faces a call.

compiling    how kernels are compiled, and where they are cached
memory       what kernels read and write; numeric types
lanes        blocks of triangles gathered into rows
pixels       what pixels of a surface have, into images
raster       which triangle each pixel sees
strands      holes and tones of hair
spans        larger triangles, cut into rows and pixels
worn         which triangle of what is worn each pixel sees
radiance     light, and the highlights of skin, eyes and hair
gathering    the pixels and vertices that are seen, listed
shading      normals, light, and the layers
glass        what clear lenses reflect
drawing      a batch of faces, one after the other
assembly     what people wear, put together
occlusion    the light that a face keeps from itself
compositing  backgrounds behind faces
scenery      places and rooms behind faces
renderer     the Renderer
"""
