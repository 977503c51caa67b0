"""Pages in the browser: every address is a question, and the answer is that of the client."""
