"""facegen: exact, labelled training data for face analysis from 3D morphable face models."""

__version__ = "0.1.0"
