"""What the machine is and keeps: instructions, cores, versions, files in the user's cache."""
