"""Compiled kernels of the response models: numbers in, numbers out."""
