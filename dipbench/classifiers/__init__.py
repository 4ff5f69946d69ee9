"""Networks that were trained to name what is in a picture, for tasks that look through one of them."""

from dipbench.classifiers.layers import Layer, classes_of, layer_of
from dipbench.classifiers.table import Classifier, classifiers

__all__ = ["Classifier", "Layer", "classes_of", "classifiers", "layer_of"]
