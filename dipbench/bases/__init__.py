"""Classes that several plugins extend."""
