"""Private: channels, requests, answers, retries and uploads of the client."""
