"""What a face is described by: theta, the cameras, the light.

parameters  theta's schema: groups, widths, units; pack and unpack
cameras     rotation, crop, projection
lighting    spherical harmonics and irradiance
points      points as annotation tools write them
alignment   point sets brought onto one another (Procrustes)
"""
