"""Private: channels, requests, answers, retries and uploads."""
