"""The stages of the measure of transfer, in the order they are met."""
