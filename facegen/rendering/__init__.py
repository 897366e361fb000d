"""Samples -> Frames: images and layers. One contract, kept in two ways.

A new renderer is a folder here with a Renderer, and its name in `devices`.

contract      Renderer, Scene, Frames: what every renderer keeps
rings         the triangles around each vertex
pictures      pictures of strangers, found and decoded
image_folder  a folder of images to put behind heads
finishes      how surfaces reflect beyond Lambert
landmarks     which landmarks an image shows, and where
cpu/          numba kernels on the CPU
egl/          OpenGL, headless
dressing      what people wear, as meshes
backgrounds   what stands behind the head
devices       which renderer a device's name means
"""
