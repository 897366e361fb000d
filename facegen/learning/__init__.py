"""The other half of the loop: networks trained on shards, estimates of photographs, evaluation.

Only here is torch; `config`, `training_set`, `points` and `images` do without it.

config        what a training is asked for
training_set  shards that agree in layout, model and image
points        landmarks and boxes of photographs
images        images found, decoded and cropped
devices       PyTorch's devices
metrics       the poster's errors
batches       shards -> batches
truth         samples with their truth, for evaluation
loss          the model-space loss, and its baseline
alexnet       AlexNet
resnet        ResNet-18, -50 and -101
networks      images -> theta
checkpoint    a network in a file, with all it needs
log           CSV and TensorBoard
train         the trainer
estimate      images -> estimates
comparison    inputs, re-renderings and error maps in one image
evaluate      estimates against the truth
small         a residual network for small images
mirror        landmarks of mirrored images
heads         what it estimates: theta and landmarks
memory        a data set in memory
moves         crops moved with their labels
muon          an optimiser for residual blocks
course        how it is trained
"""
