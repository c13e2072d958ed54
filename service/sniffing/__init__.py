"""What an unknown topic holds, looked at without joining a group, and the monitor that follows from it."""
