"""What a server tells of its work: Prometheus metrics and OpenTelemetry spans, without any text."""
