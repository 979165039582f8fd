"""What was tried on servers, files, messages and long runs: load, faults, bad input, growth."""
