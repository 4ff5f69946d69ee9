"""Where scenes come from: pinned files, collections of them, downloads, and how a scene is cut and reduced."""
