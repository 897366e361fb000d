"""The other half of the loop: networks trained on shards, estimates of photographs, evaluation.

Estimating with an ONNX file does without torch, and so does all down to `estimate`.

config        what a training is asked for
facts         what a file says of its network
training_set  shards that agree in layout, model and image
points        landmarks and boxes of photographs
images        images found
metrics       the poster's errors
calibration   what standard deviations are worth
shapes        errors of the face and its parts
seen          landmarks of theta
mirror        landmarks of mirrored images
turning       theta of turned images
frames        where in a picture a network looks
found         what is estimated of images
onnx_network  a network run by onnxruntime
detection     faces found in a photograph
placing       faces placed before its camera
faces         faces in photographs, and what is kept of them
estimate      photographs -> estimates
overlay       photographs with what was estimated
devices       PyTorch's devices
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
estimators    a network run by PyTorch
export        networks as ONNX files
opening       a trained network by its file
arrays        photographs in memory -> estimates
photographs   landmarks found against those marked
muon          an optimiser for convolutions
optimisers    what moves the weights, and how fast
average       the mean of the last weights
objective     what a training lowers
log           CSV and TensorBoard
watch         how a training goes
run           a training in progress
begin         how it begins
train         the trainer
comparison    inputs, re-renderings and error maps in one image
evaluate      estimates against the truth
"""
