"""From a rendering to a photograph: a camera's optics, its sensor, and what it makes of both.

Light is linear and 1 is white until `tones` encodes it; each photograph is a function of its
rendering and its settings alone, whatever the batch.

settings      photographs that change nothing
tones         sRGB, how highlights roll off, and contrast
optics        focus and motion: blurs that keep the light
scaling       images made smaller and larger
sensor        exposure, vignette and noise
finishing     colour, sharpness, and 8 bits
camera        the settings as kernels take them, and memory
develop       the whole chain
antialiasing  how much of a pixel a silhouette covers
strands       hair finer than pixels, blended
painting      shapes and hair, painted over pictures
occluders     shapes and hair by chance
augmentation  other appearance, for training
faces         samples -> finished faces
"""
