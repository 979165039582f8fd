"""What changes while a server runs: models, trainings, its end."""
