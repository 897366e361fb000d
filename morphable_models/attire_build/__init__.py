"""Builds attire.h5: hair, beards, glasses, hats, clothes, hands and what people hold."""
