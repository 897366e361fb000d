"""Shards made: planned, handed to workers, reported.

processes  processes that do not run the script that starts them
progress   what a run reports while it is in progress
timing     seconds by stage
worker     one process: a shard from beginning to end
engines/   where workers run: processes of this machine, or Ray
run        the main path: plan, make what is missing, write the pages
bench      how fast this machine is
"""
