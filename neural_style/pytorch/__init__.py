"""The engine by PyTorch: engine.py evaluates the terms, arrays.py keeps the image and all that moves it on the device.

PyTorch is imported only where this engine is used.
"""
