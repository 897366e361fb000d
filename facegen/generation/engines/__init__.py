"""Where shards are made.

engine  what every engine keeps
local   processes of this machine
ray     tasks of a Ray cluster
"""
