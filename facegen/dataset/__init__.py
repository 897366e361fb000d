"""A data set on disk: what it follows from, and every file of it, written and read.

encoding   each member of a sample, encoded and decoded
labels     a sample's json
stores/    where it lies: a folder, or a URL
shards     samples <-> tar
streaming  samples of shards, shuffled, for training
report     a shard's report
spec       everything a data set follows from, with all defaults
resolving  a spec checked, and its defaults filled in
index      dataset.json
scan       which shards are complete
card       README.md and preview.jpg
reader     samples in order or by index, decoded
"""
