"""Fine-tuning of the network: examples, batches, training loop, calibration."""
