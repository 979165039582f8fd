"""A server under many clients: answers compared, times, memory, replicas."""
