"""What happens to a bot when something around it fails."""
