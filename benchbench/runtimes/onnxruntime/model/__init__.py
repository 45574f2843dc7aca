"""What is in a .onnx, read through the package onnx."""
