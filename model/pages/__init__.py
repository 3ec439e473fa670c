"""Share the frame, the look and the escaping template engine among all pages."""
