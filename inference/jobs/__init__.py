"""Long runs: resumable folders of parts, and workers on Ray."""
