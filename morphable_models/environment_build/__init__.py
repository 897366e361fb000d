"""How environments.h5 is made: panoramas of real places, their light and their suns."""
