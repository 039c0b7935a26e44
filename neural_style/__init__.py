"""Neural style transfer by optimisation: MXNet's example on today's Python."""

__version__ = "1.0.0"
