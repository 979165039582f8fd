"""What is compared: text in, embedding out. Each engine imports its libraries when it is built."""
