"""Long runs: resumable folders of parts, signals, workers."""
