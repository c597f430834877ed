"""The Django project (the admin) and the HTTP app that Serve runs."""
