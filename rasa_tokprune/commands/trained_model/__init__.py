"""Trained Rasa models, as several commands use them: opened, and asked the way the bot is."""
