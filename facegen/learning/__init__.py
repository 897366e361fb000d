"""The other half of the loop: networks trained on shards, estimates of photographs, evaluation.

Only here is torch; `config`, `training_set`, `points` and `images` do without it.

config        what a training is asked for
training_set  shards that agree in layout, model and image
points        landmarks and boxes of photographs
images        images found, decoded and cropped
devices       PyTorch's devices
metrics       the poster's errors
mirror        landmarks of mirrored images
labelled      faces with what is learned of them
moves         crops moved with their labels
batches       shards -> batches
truth         samples with their truth, for evaluation
loss          the model-space loss, and its baseline
alexnet       AlexNet
resnet        ResNet-18, -50 and -101
small         residual networks for small images
heads         deviations and landmarks
networks      images -> theta, and the rest
checkpoint    a network in a file, with all it needs
muon          an optimiser for convolutions
optimisers    what moves the weights, and how fast
average       the mean of the last weights
objective     what a training lowers
log           CSV and TensorBoard
watch         how a training goes
run           a training in progress
begin         how it begins
train         the trainer
estimators    a network as a function
estimate      images -> estimates
comparison    inputs, re-renderings and error maps in one image
evaluate      estimates against the truth
"""
