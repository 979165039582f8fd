"""From scores to confidences, on messages held out."""
