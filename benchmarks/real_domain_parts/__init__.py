"""The stages of a photograph of the "real" domain, in the order they are met."""
