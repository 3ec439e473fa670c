"""Export of the network to ONNX, and running it with onnxruntime."""
