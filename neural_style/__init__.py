"""Neural style transfer by optimisation: MXNet's example, alive on today's Python."""
__version__ = "1.0.0"
