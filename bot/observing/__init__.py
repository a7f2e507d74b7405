"""What operators see of the running bot: its log and its figures. No secret is in them, and nothing that people say."""
