"""A data set proved and shown.

checks/       what can be wrong with a data set, one file a kind
verify        every check of every shard, and a verdict
skin          skin tones: the individual typology angle and its classes
charts        SVG charts
report        what the report shows, gathered from shards and labels
page          the report as one HTML page
sheets        recipes, models and samples as pictures
labels_table  all labels in one parquet file
"""
