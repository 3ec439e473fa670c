"""What all pages share: the frame, the look, and the template engine that escapes whatever goes in."""
