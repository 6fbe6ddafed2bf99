"""What one source says of one thing: a project, a call or a need."""
