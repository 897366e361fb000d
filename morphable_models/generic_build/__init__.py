"""What builds generic.h5, one room for each of its parts."""
