"""Where a data set lies. Files appear whole, or not at all.

store    what every store keeps
locks    shards held by one run alone
scratch  temporary files of a data set by URL
folder   a folder of this machine
url      an object store, through fsspec
opening  which store a path or URL means
"""
