"""What is in a .tflite file, and making one from another."""
