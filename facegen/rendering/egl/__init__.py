"""The OpenGL renderer, headless through EGL: the only package that knows OpenGL.

context   contexts, and the devices there are
programs  shaders and buffers
surface   geometry, normals, reflectance and cameras of a batch
strip     a layer's pass: a batch drawn as a strip of tiles
renderer  the Renderer
"""
