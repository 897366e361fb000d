"""Where a data set lies. Files appear whole, or not at all.

store    what every store keeps
folder   a folder of this machine
url      an object store, through fsspec
opening  which store a path or URL means
"""
