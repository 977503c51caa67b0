"""Record calls between a program and its server without what is private, and send them again at a rate."""
