"""Export of the network to ONNX, and reading with onnxruntime."""
