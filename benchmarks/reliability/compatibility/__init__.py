"""Other versions of what is installed, of the package itself, and other CPUs."""
