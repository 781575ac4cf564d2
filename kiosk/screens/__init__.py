"""What the patient sees, touches and hears: pure layout of every state, drawn by pygame."""
