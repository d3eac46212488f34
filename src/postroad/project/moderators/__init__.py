"""What a list's moderators and owners do on the web: held posts, requests, the list's texts."""
