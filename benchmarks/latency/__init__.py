"""Time of one text, of many, of a start, beside other engines."""
