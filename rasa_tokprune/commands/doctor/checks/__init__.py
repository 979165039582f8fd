"""What is looked at, a module for each thing; every check yields findings and changes nothing."""
