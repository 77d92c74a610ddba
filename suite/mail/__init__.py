"""Write one e-mail and hand it to the server. Knows no meeting."""
