"""Where secret values come from: dotenv and JSON files, and references into the environment."""
