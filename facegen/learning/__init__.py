"""The other half of the loop: train on shards, estimate photographs, evaluate. Only here is torch.

commands, config and corpus, which the command line opens, do without it.
"""
