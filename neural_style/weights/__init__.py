"""The pretrained weights: found, fetched, checked, and converted from other programs' files; none of it loads MXNet."""
