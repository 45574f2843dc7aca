"""onnxruntime_perf_test, ONNX Runtime's own tool: what a build of it can do, its command, and what it leaves."""
