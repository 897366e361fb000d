"""The checks of `facegen verify`: each compares what was planned with what is there.

faults    what can be wrong, where, and what a verdict is made of
files     dataset.json against itself and the shards; which files are there
labels    theta, camera, identity and parent against what is drawn again
rerender  images and layers against those rendered again from the labels
shard     one shard from beginning to end: bytes, members, labels, images
priors    theta against the distributions that the recipe states
"""
