"""Network architectures that priors share."""
